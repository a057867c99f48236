import { type CheckResult, type LedgerFigures, type Verification, verifyLedger } from "../../ledger/url.ts";
import { formatDuration } from "../../model/duration.ts";
import { StepwellError } from "../../model/errors.ts";
import { type Define, LEDGER_FLAG } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { plural, table } from "../layout.ts";
import { ledgerExists } from "../open-ledger.ts";
import { reportError } from "../report-error.ts";
import type { Paint } from "../terminal.ts";

interface Flags {
  readonly ledger: string;
  readonly json?: true;
}

export const defineVerify: Define = (command, { terminal, finish }) => {
  command
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Reads all of the ledger, as of one moment, and writes nothing; engines may be at work in it.
Exit codes: 0 everything holds, 1 something does not, 2 the ledger could not be looked at.

Examples:
  $ stepwell doctor verify --ledger postgres://stepwell:secret@db.internal/stepwell`,
    )
    .action(async () => {
      // `doctor` has flags of the same names, and takes them wherever they stand
      const { ledger: url, json } = command.optsWithGlobals<Flags>();
      try {
        const verification = await verified(url);
        const isWell = verification.checks.every(({ count }) => count === 0);
        const { out } = terminal;
        if (json === true) out.line(JSON.stringify(asJson(verification, isWell), null, 2));
        else for (const line of linesOf(verification, out.paint)) out.line(line);
        finish(isWell ? EXIT.succeeded : EXIT.failed);
      } catch (error) {
        // 1 says that the ledger is not as it must be, which nobody knows yet
        if (!(error instanceof StepwellError)) throw error;
        reportError(terminal.err, error);
        finish(EXIT.usage);
      }
    });
};

async function verified(url: string): Promise<Verification> {
  if (!ledgerExists(url) && !/^memory:/i.test(url)) throw new StepwellError("LEDGER_UNAVAILABLE", `There is no ledger at ${url}`);
  return verifyLedger(url);
}

function asJson({ ledger, checks, figures }: Verification, ok: boolean) {
  return { ok, ledger, checks: checks.map((check) => ({ ...check, ok: check.count === 0 })), figures };
}

function linesOf({ checks, figures, ledger }: Verification, paint: Paint): readonly string[] {
  const rows = table(
    [{ title: "" }, { title: "" }, { title: "" }, { title: "" }],
    checks.map(({ id, invariant, holds, count }) => [
      count === 0 ? "ok" : "FAILED",
      invariant,
      id,
      count === 0 ? holds : `${holds}: ${plural(count, "exception")}`,
    ]),
  );
  const lines = checks.flatMap((check, index) => [
    (rows[index] ?? "").replace(/^(?:ok|FAILED)/, (mark) => (mark === "ok" ? paint.green(mark) : paint.red(mark))),
    ...offenders(check),
  ]);
  const failed = checks.filter(({ count }) => count > 0).length;
  const summary =
    failed === 0
      ? `${ledger}: ${plural(checks.length, "check")}, all hold`
      : `${ledger}: ${failed} of ${plural(checks.length, "check")} failed`;
  return [...lines, ...(figures === null ? [] : ["", ...figureLines(figures)]), "", summary];
}

function offenders({ first, count }: CheckResult): readonly string[] {
  const rest = count - first.length;
  return [...first.map(({ run, found }) => `        ${run ?? "no run"}  ${found}`), ...(rest > 0 ? [`        and ${rest} more`] : [])];
}

function figureLines(figures: LedgerFigures): readonly string[] {
  const { rows, unfinished, oldestUnfinishedMs, queuedWithoutEngine, overdue, held, withoutOperator } = figures;
  const counts = (of: Readonly<Record<string, number>>): string => {
    const there = Object.entries(of).filter(([, count]) => count > 0);
    return there.length === 0 ? "none" : there.map(([name, count]) => `${name} ${count}`).join(", ");
  };
  const waiting = { queued: queuedWithoutEngine, overdue, held, "without operator": withoutOperator };
  return table(
    [{ title: "" }, { title: "" }],
    [
      ["Rows", counts(rows)],
      ["Unfinished runs", counts(unfinished)],
      ["Oldest of them", oldestUnfinishedMs === null ? "none" : formatDuration(oldestUnfinishedMs)],
      ["Waiting for somebody", counts(waiting)],
    ],
  );
}
