import { StepwellError } from "../model/errors.ts";
import type { RunPage, TaskPage } from "./port.ts";
import type { RunRow, TaskRow } from "./rows.ts";

/** The id below which a page starts; every id when there is no cursor. */
export const idBelow = (cursor: string | undefined): number => idAt(cursor) ?? Number.MAX_SAFE_INTEGER;

/** The id above which a page starts. */
export const idAbove = (cursor: string | undefined): number => idAt(cursor) ?? 0;

function idAt(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const id = Number.parseInt(cursor, 36);
  if (Number.isSafeInteger(id) && id.toString(36) === cursor) return id;
  throw new StepwellError("USAGE", `"${cursor}" is not a cursor of a list`, { hint: "Pass on what the page before gave." });
}

/** A page of at most `limit` out of `limit + 1` rows; the row too many tells that there is a next page. */
export function pageOf(rows: readonly RunRow[], limit: number): RunPage {
  return { runs: rows.slice(0, limit), next: cursorOf(rows, limit) };
}

export function taskPageOf(rows: readonly TaskRow[], limit: number): TaskPage {
  return { tasks: rows.slice(0, limit), next: cursorOf(rows, limit) };
}

const cursorOf = (rows: readonly { readonly id: number }[], limit: number): string | undefined =>
  rows.length > limit ? rows[limit - 1]?.id.toString(36) : undefined;
