import { readExplanation } from "../../../engine/explain/read-explanation.ts";
import { parseError } from "../../../engine/recorded-error.ts";
import { recordOf } from "../../../engine/run-record.ts";
import type { Ledger } from "../../../ledger/port.ts";
import type { AttemptRow, HistoryRow, RunRow, StepRunRow } from "../../../ledger/rows.ts";
import { type Define, LEDGER_FLAG } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { findRun } from "../../find-run.ts";
import { isInside } from "../../inside-blocks.ts";
import { dateAndTime, oneLine, plural, table, timeOfDay } from "../../layout.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import { reportResult, type StoredResult } from "../../run-report.ts";
import { errorLine } from "../../step-rows.ts";
import type { Output, Terminal } from "../../terminal.ts";

interface Flags {
  readonly ledger: string;
  readonly json?: true;
}

/** The newest; a person reads no more. */
const SHOWN_ATTEMPTS = 50;

interface Shown extends StoredResult {
  readonly attempts: readonly AttemptRow[];
  readonly history: readonly HistoryRow[];
}

export const defineShow: Define = (command, { terminal, finish }) => {
  command
    .argument("<run>", "a run id, or as much of its beginning as is unique")
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .action(async (idOrPrefix: string, flags: Flags) => {
      await using ledger = await openExistingLedger(flags.ledger);
      const shown = await read(ledger, await findRun(ledger, idOrPrefix));
      if (flags.json === true) terminal.out.line(JSON.stringify(asData(shown), null, 2));
      else await print(shown, terminal);
      finish(EXIT.succeeded);
    });
};

async function read(ledger: Ledger, run: RunRow): Promise<Shown> {
  const { publicId } = run;
  return {
    run,
    steps: await ledger.listSteps(TENANT, publicId),
    explanation: await readExplanation(ledger, TENANT, publicId),
    attempts: await ledger.listAttempts(TENANT, publicId),
    history: await ledger.listHistory(TENANT, publicId),
  };
}

async function print(shown: Shown, terminal: Terminal): Promise<void> {
  const { run, steps, attempts, history } = shown;
  const { out } = terminal;
  const by = `${run.trigger} by ${run.initiator}`;
  out.line(`${run.workflow}${run.version === null ? "" : ` ${run.version}`}  ${dateAndTime(run.createdAt)}  ${by}`);
  if (run.idempotencyKey !== null) out.line(`idempotency key ${oneLine(run.idempotencyKey)}`);
  await reportResult(terminal, shown);
  section(out, "Earlier attempts", attemptLines(attempts.slice(-SHOWN_ATTEMPTS), steps));
  const [inside, own] = [history.filter(isOfBlock), history.filter((row) => !isOfBlock(row))];
  section(out, "History", historyLines(own));
  if (inside.length > 0) out.line(out.paint.dim(`… and ${plural(inside.length, "entry", "entries")} on items and rounds; --json has all`));
}

/** What happened inside a block, of which there may be very much. */
function isOfBlock({ step }: HistoryRow): boolean {
  return step !== null && isInside(step);
}

function section(out: Output, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  out.line(`\n${out.paint.bold(title)}`);
  for (const line of lines) out.line(line);
}

function attemptLines(attempts: readonly AttemptRow[], steps: readonly StepRunRow[]): readonly string[] {
  const pathOf = new Map(steps.map(({ ordinal, path }) => [ordinal, path]));
  return table(
    [{ title: "" }, { title: "" }, { title: "" }, { title: "" }, { title: "" }],
    attempts.map(({ ordinal, attempt, status, error, finishedAt }) => [
      timeOfDay(finishedAt),
      pathOf.get(ordinal) ?? String(ordinal),
      `attempt ${attempt}`,
      status,
      error === null ? "" : errorLine(parseError(error)),
    ]),
  );
}

function historyLines(history: readonly HistoryRow[]): readonly string[] {
  return table(
    [{ title: "" }, { title: "" }, { title: "" }, { title: "" }, { title: "" }],
    history.map(({ at, event, step, attempt, detail, actor }) => [
      timeOfDay(at),
      event,
      step ?? "",
      attempt !== null && attempt > 1 ? `attempt ${attempt}` : "",
      [actor === null ? "" : `by ${actor}`, detail ?? ""].filter((part) => part !== "").join("  "),
    ]),
  );
}

function asData({ explanation, ...stored }: Shown): object {
  return {
    ...recordOf(stored),
    waits: explanation.steps.filter(({ status }) => status === "SUSPENDED").map(({ step, waitsFor, says }) => ({ step, waitsFor, says })),
  };
}
