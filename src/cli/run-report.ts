import type { RunExplanation } from "../engine/explain/explanation.ts";
import { readExplanation } from "../engine/explain/read-explanation.ts";
import { parseError } from "../engine/recorded-error.ts";
import { resultOf } from "../engine/run-results.ts";
import type { Ledger } from "../ledger/port.ts";
import type { RunRow, StepRunRow } from "../ledger/rows.ts";
import { formatDuration } from "../model/duration.ts";
import { parseJson } from "../model/json.ts";
import { RUN_REASONS, type RunStatus } from "../model/status.ts";
import { arranged, blockOfRows, insideByBlock } from "./inside-blocks.ts";
import { oneLine, plural } from "./layout.ts";
import { TENANT } from "./open-ledger.ts";
import { readable } from "./readable.ts";
import { errorLine, type StepView, stepLines, stepViewOf } from "./step-rows.ts";
import type { Paint, Terminal } from "./terminal.ts";

/** A run and its steps as the ledger has them. */
export interface StoredResult {
  readonly run: RunRow;
  readonly steps: readonly StepRunRow[];
  readonly explanation: RunExplanation;
}

export async function readResult(ledger: Ledger, runId: string): Promise<StoredResult | undefined> {
  const run = await ledger.getRun(TENANT, runId);
  if (run === undefined) return undefined;
  return { run, steps: await ledger.listSteps(TENANT, runId), explanation: await readExplanation(ledger, TENANT, runId) };
}

/** The steps as the views show them: with what they wait for, and how far blocks are. */
export function viewsOf({ steps, explanation }: Pick<StoredResult, "steps"> & Partial<StoredResult>): readonly StepView[] {
  const explained = new Map(explanation?.steps.map((step) => [step.step, step]));
  const views = steps.map((row) => stepViewOf(row, explained.get(row.path)));
  const inside = insideByBlock(views);
  return views.map((view) => (view.block === null ? { ...view, block: blockOfRows(view, inside.get(view.id) ?? []) } : view));
}

/** The one object that `--json` prints. */
export function resultJson({ run, steps }: StoredResult): string {
  return JSON.stringify(resultOf(run, steps), null, 2);
}

/** Longer tables hide what matters: then the steps that went well are counted. */
const TABLE_ROWS = 200;

/** How a run stands, for a person: the table of its steps, one line on the whole, its error or output. */
export async function reportResult({ out, size }: Terminal, stored: StoredResult): Promise<void> {
  const { run, steps } = stored;
  const views = arranged(viewsOf(stored));
  const shown = views.length <= TABLE_ROWS ? views : noteworthy(views);
  const style = { columns: size().columns, now: run.finishedAt ?? Date.now(), paint: out.paint };
  out.line("");
  for (const line of stepLines(shown, style)) out.line(line);
  if (shown.length < steps.length) out.line(out.paint.dim(`… and ${plural(steps.length - shown.length, "step")} more`));
  out.line("");
  out.line(headline(run, out.paint));
  if (run.error !== null) out.line(`  ${oneLine(errorLine(parseError(run.error)))}`);
  if (run.output !== null && run.output !== "null") out.line(`\n${await readable(parseJson(run.output))}`);
}

function noteworthy(views: readonly StepView[]): readonly StepView[] {
  return views.filter(({ status, attempt }) => status !== "SUCCEEDED" || attempt > 1).slice(0, TABLE_ROWS);
}

function headline({ workflow, publicId, status, reason, startedAt, finishedAt }: RunRow, paint: Paint): string {
  const took = startedAt === null || finishedAt === null ? "" : ` in ${formatDuration(finishedAt - startedAt)}`;
  const why = reason === null ? "" : `: ${RUN_REASONS[reason]}`;
  return `${colourOf(status, paint)(status)}${took}${why}  ${workflow}  ${paint.dim(publicId)}`;
}

export function colourOf(status: RunStatus, paint: Paint): (text: string) => string {
  switch (status) {
    case "SUCCEEDED":
      return paint.green;
    case "FAILED":
      return paint.red;
    case "CANCELLED":
    case "SUSPENDED":
      return paint.yellow;
    case "QUEUED":
    case "RUNNING":
      return paint.cyan;
  }
}
