import { InvalidArgumentError } from "commander";
import { Pace, type Pruned, prunableRuns, pruneRuns } from "../../../engine/prune-runs.ts";
import { systemClock } from "../../../engine/system-clock.ts";
import type { PrunableRun, Retention, RetentionQuery } from "../../../ledger/port.ts";
import { formatDuration, parseDuration } from "../../../model/duration.ts";
import { StepwellError } from "../../../model/errors.ts";
import { retentionPolicy, TERMINAL_STATUSES, terminalStatus } from "../../../model/retention.ts";
import type { TerminalRunStatus } from "../../../model/status.ts";
import { type Define, LEDGER_FLAG, wholeNumber } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { plural, table } from "../../layout.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import type { Output } from "../../terminal.ts";

interface Flags {
  readonly olderThan: number;
  readonly status: readonly TerminalRunStatus[];
  readonly workflow?: string;
  readonly limit?: number;
  readonly dryRun?: true;
  readonly ledger: string;
  readonly json?: true;
}

export const definePrune: Define = (command, { terminal, finish }) => {
  command
    .requiredOption("--older-than <duration>", "runs that ended longer ago than this", orInvalid(parseDuration))
    .option("--status <statuses>", "only runs that ended so, separated by commas", orInvalid(readStatuses), TERMINAL_STATUSES)
    .option("--workflow <name>", "only runs of this workflow")
    .option("--limit <count>", "at most so many; runs that they started are not counted", wholeNumber(1))
    .option("--dry-run", "say what would be deleted, and delete nothing")
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .action(async (flags: Flags) => {
      await using ledger = await openExistingLedger(flags.ledger);
      report(flags, await prune(ledger.retention, flags), terminal.out);
      finish(EXIT.succeeded);
    });
};

/** A flag that says itself what is wrong with it. */
function orInvalid<T>(read: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      if (error instanceof StepwellError) throw new InvalidArgumentError(`${error.message}. ${error.hint ?? ""}`);
      throw error;
    }
  };
}

const readStatuses = (text: string): readonly TerminalRunStatus[] => text.split(",").map((name) => terminalStatus(name.trim()));

interface Tally {
  /** Runs without a parent, by workflow and status. */
  readonly kinds: Map<string, { readonly workflow: string; readonly status: string; count: number }>;
  /** With those that they started. */
  runs: number;
}

async function prune(retention: Retention, { olderThan, status, workflow, limit, dryRun }: Flags): Promise<Tally> {
  const keptFor = Object.fromEntries(status.map((each) => [each, olderThan]));
  const policy = retentionPolicy(workflow === undefined ? { runs: keptFor } : { workflows: { [workflow]: keptFor } });
  const query: RetentionQuery = { tenant: TENANT, policy };
  const pace = new Pace(systemClock, false);
  const most = limit ?? Number.POSITIVE_INFINITY;
  const tally: Tally = { kinds: new Map(), runs: 0 };
  const batches = dryRun === true ? wouldPrune(retention, query, pace, most) : pruneRuns(retention, query, pace, most);
  for await (const { roots, runs } of batches) {
    tally.runs += runs;
    for (const root of roots) count(tally, root);
  }
  return tally;
}

async function* wouldPrune(retention: Retention, query: RetentionQuery, pace: Pace, limit: number): AsyncGenerator<Pruned> {
  let left = limit;
  for await (const page of prunableRuns(retention, query, pace)) {
    const roots = page.slice(0, left);
    left -= roots.length;
    yield { roots, runs: roots.reduce((sum, { runs }) => sum + runs, 0) };
    if (left <= 0) return;
  }
}

function count({ kinds }: Tally, { workflow, status }: PrunableRun): void {
  const key = JSON.stringify([workflow, status]);
  const known = kinds.get(key);
  if (known === undefined) kinds.set(key, { workflow, status, count: 1 });
  else known.count += 1;
}

function report({ olderThan, dryRun, json }: Flags, { kinds, runs }: Tally, out: Output): void {
  const sorted = [...kinds.values()].toSorted((a, b) => (a.workflow === b.workflow ? 0 : a.workflow < b.workflow ? -1 : 1));
  if (json === true) {
    out.line(JSON.stringify({ dryRun: dryRun === true, runs, pruned: sorted }, null, 2));
    return;
  }
  if (runs === 0) {
    out.line(`No run ended more than ${formatDuration(olderThan)} ago and may go`);
    return;
  }
  const cells = sorted.map((kind) => [kind.workflow, kind.status, String(kind.count)]);
  for (const line of table([{ title: "WORKFLOW", maxWidth: 40 }, { title: "STATUS" }, { title: "RUNS", align: "right" }], cells))
    out.line(line);
  const all = sorted.reduce((sum, kind) => sum + kind.count, 0);
  const started = runs > all ? `, ${plural(runs - all, "run")} that others started among them` : "";
  out.line(`${plural(runs, "run")} ${dryRun === true ? "would be" : runs === 1 ? "is" : "are"} deleted${started}`);
}
