import { StepwellError } from "../model/errors.ts";
import type { RunPage } from "./port.ts";
import type { RunRow } from "./rows.ts";

/** The id below which a page starts; every id when there is no cursor. */
export function idBelow(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  const id = Number.parseInt(cursor, 36);
  if (Number.isSafeInteger(id) && id.toString(36) === cursor) return id;
  throw new StepwellError("USAGE", `"${cursor}" is not a cursor of a list of runs`, { hint: "Pass on what the page before gave." });
}

/** A page of at most `limit` out of `limit + 1` rows; the row too many tells that there is a next page. */
export function pageOf(rows: readonly RunRow[], limit: number): RunPage {
  const runs = rows.slice(0, limit);
  return { runs, next: rows.length > limit ? runs.at(-1)?.id.toString(36) : undefined };
}
