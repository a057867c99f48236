import type { Ledger } from "../ledger/port.ts";
import type { RunRow } from "../ledger/rows.ts";
import { canonicalJson, parseJson } from "../model/json.ts";
import { isTerminalRun, RUN_STATUSES } from "../model/status.ts";
import type { Definition } from "../workflow/index.ts";
import { TENANT } from "./open-ledger.ts";

/** What stands in the ledger before the run begins. */
export interface LedgerStanding {
  /** The run that is followed instead of starting one. */
  readonly earlier: RunRow | undefined;
  /** Whether `earlier` goes by a definition other than the one in the file. */
  readonly isOtherDefinition: boolean;
  /** Unfinished runs beside it, which go on as well; counted up to `COUNTED_RUNS`. */
  readonly others: number;
}

export const COUNTED_RUNS = 1_000;

/** @param key the idempotency key, or undefined; `resume`: the newest unfinished run of the workflow is as good as a new one */
export async function lookAtLedger(
  ledger: Ledger,
  workflow: string,
  definition: Definition,
  { key, resume }: { readonly key: string | undefined; readonly resume: boolean },
): Promise<LedgerStanding> {
  const earlier = await earlierRun(ledger, workflow, key, resume);
  const unfinished = await ledger.unfinished(0, COUNTED_RUNS + 1);
  const version = earlier === undefined ? undefined : await ledger.getVersion(earlier.versionId);
  return {
    earlier,
    isOtherDefinition: version !== undefined && canonicalJson(parseJson(version.definition)) !== canonicalJson(definition),
    others: unfinished.filter((runId) => runId !== earlier?.id).length,
  };
}

async function earlierRun(ledger: Ledger, workflow: string, key: string | undefined, resume: boolean): Promise<RunRow | undefined> {
  if (key !== undefined) {
    const found = await ledger.findByIdempotencyKey(TENANT, workflow, key);
    if (found !== undefined) return found.run;
  }
  return resume ? newestUnfinished(ledger, workflow) : undefined;
}

async function newestUnfinished(ledger: Ledger, workflow: string): Promise<RunRow | undefined> {
  const newest: RunRow[] = [];
  for (const status of RUN_STATUSES.filter((candidate) => !isTerminalRun(candidate))) {
    newest.push(...(await ledger.listRuns({ tenant: TENANT, workflow, status, limit: 1 })).runs);
  }
  return newest.toSorted((left, right) => right.id - left.id)[0];
}
