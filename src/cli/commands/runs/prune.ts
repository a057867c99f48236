import { InvalidArgumentError } from "commander";
import type { DamagedRun } from "../../../engine/archive-runs.ts";
import { Pace } from "../../../engine/pace.ts";
import { type Pruned, prunableRuns, pruneRuns } from "../../../engine/prune-runs.ts";
import { systemClock } from "../../../engine/system-clock.ts";
import type { Ledger, PrunableRun, Retention, RetentionQuery } from "../../../ledger/port.ts";
import { openArchive } from "../../../main/pruning.ts";
import { formatDuration, parseDuration } from "../../../model/duration.ts";
import { StepwellError } from "../../../model/errors.ts";
import { retentionPolicy, TERMINAL_STATUSES, terminalStatus } from "../../../model/retention.ts";
import type { TerminalRunStatus } from "../../../model/status.ts";
import { type Define, LEDGER_FLAG, wholeNumber } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { plural, table } from "../../layout.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import { reportError } from "../../report-error.ts";
import type { Output } from "../../terminal.ts";

interface Flags {
  readonly olderThan: number;
  readonly status: readonly TerminalRunStatus[];
  readonly workflow?: string;
  readonly limit?: number;
  readonly dryRun?: true;
  readonly archive?: string;
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
    .option("--archive <folder>", "where runs are written, as lines of JSON, before they are deleted")
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .action(async (flags: Flags) => {
      await using ledger = await openExistingLedger(flags.ledger);
      const tally = await prune(ledger, flags);
      report(flags, tally, terminal.out);
      for (const { root, error } of tally.damaged) reportError(terminal.err, stays(root, error));
      finish(tally.damaged.length === 0 ? EXIT.succeeded : EXIT.failed);
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
  readonly damaged: DamagedRun[];
}

async function prune(ledger: Ledger, { olderThan, status, workflow, limit: most, dryRun, archive: folder }: Flags): Promise<Tally> {
  const { retention } = ledger;
  const keptFor = Object.fromEntries(status.map((each) => [each, olderThan]));
  const policy = retentionPolicy(workflow === undefined ? { runs: keptFor } : { workflows: { [workflow]: keptFor } });
  const query: RetentionQuery = { tenant: TENANT, policy };
  const pace = new Pace(systemClock, false);
  const limit = most ?? Number.POSITIVE_INFINITY;
  const archive = dryRun === true ? undefined : await openArchive(folder, ledger, TENANT, false);
  const tally: Tally = { kinds: new Map(), runs: 0, damaged: [] };
  const batches = dryRun === true ? wouldPrune(retention, query, pace, limit) : pruneRuns({ retention, query, pace, limit, archive });
  for await (const { roots, runs, damaged } of batches) {
    tally.runs += runs;
    for (const root of roots) count(tally, root);
    if (damaged !== undefined) tally.damaged.push(damaged);
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

function stays({ publicId }: PrunableRun, { code, message }: StepwellError): StepwellError {
  return new StepwellError(code, `${publicId} stays, it cannot be archived: ${message}`, {
    hint: "Without --archive it is deleted, with whatever could still be read of it.",
  });
}

function report({ olderThan, dryRun, json }: Flags, { kinds, runs, damaged }: Tally, out: Output): void {
  const sorted = [...kinds.values()].toSorted((a, b) => (a.workflow === b.workflow ? 0 : a.workflow < b.workflow ? -1 : 1));
  if (json === true) {
    const staying = damaged.map(({ root, error: { code, message } }) => ({ run: root.publicId, error: { code, message } }));
    out.line(JSON.stringify({ dryRun: dryRun === true, runs, pruned: sorted, staying }, null, 2));
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
