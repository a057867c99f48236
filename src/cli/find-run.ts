import type { Ledger } from "../ledger/port.ts";
import type { RunRow } from "../ledger/rows.ts";
import { StepwellError } from "../model/errors.ts";
import { TENANT } from "./open-ledger.ts";

const PAGE = 500;
/** Hexadecimal digits at the beginning of a run id that grow with time. */
const TIME_DIGITS = 8;

/**
 * The run with this id, or the only one whose id begins with it.
 *
 * @throws StepwellError `RUN_NOT_FOUND`; `USAGE` when several runs begin so
 */
export async function findRun(ledger: Ledger, idOrPrefix: string): Promise<RunRow> {
  const prefix = idOrPrefix.toLowerCase();
  const exact = await ledger.getRun(TENANT, prefix);
  if (exact !== undefined) return exact;
  const [only, another] = await runsWithPrefix(ledger, prefix);
  if (only === undefined || prefix === "") {
    throw new StepwellError("RUN_NOT_FOUND", `There is no run ${idOrPrefix}`, { hint: "stepwell runs list shows the runs of a ledger." });
  }
  if (another === undefined) return only;
  throw new StepwellError("USAGE", `Several runs begin with ${idOrPrefix}: ${only.publicId}, ${another.publicId}, …`, {
    hint: "Write more of the id.",
  });
}

/** Up to two; runs are read newest first, so those before the prefix's time end the search. */
async function runsWithPrefix(ledger: Ledger, prefix: string): Promise<readonly RunRow[]> {
  const found: RunRow[] = [];
  const earliest = prefix.slice(0, TIME_DIGITS);
  let cursor: string | undefined;
  do {
    const page = await ledger.listRuns({ tenant: TENANT, limit: PAGE, ...(cursor !== undefined && { cursor }) });
    found.push(...page.runs.filter(({ publicId }) => publicId.startsWith(prefix)));
    const oldest = page.runs.at(-1)?.publicId.slice(0, earliest.length);
    if (found.length > 1 || (oldest !== undefined && oldest < earliest)) break;
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}
