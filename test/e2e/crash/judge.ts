import type { Ledger } from "../../../src/ledger/port.ts";
import type { AttemptRow, InboxRow, RunRow, StepRunRow } from "../../../src/ledger/rows.ts";
import { parseJson } from "../../../src/model/json.ts";
import { type Book, type KnownRun, TENANT } from "./book.ts";
import type { StartPlan } from "./schedule.ts";
import type { SinkCall } from "./sink.ts";
import { StepKeys } from "./step-keys.ts";
import { isRightEnd, type Program, programOf, RETRY_DELAY_MS, ROUND_DELAY_MS } from "./workflows.ts";

/** Everything that there is to know of a run that has ended. */
interface Case {
  readonly run: KnownRun;
  readonly row: RunRow;
  readonly program: Program;
  readonly steps: readonly StepRunRow[];
  readonly attempts: readonly AttemptRow[];
  readonly inbox: readonly InboxRow[];
  readonly calls: readonly SinkCall[];
}

/** Holds the ledger against what callers were told and how the workflows must end, and what the sink saw against both. */
export async function judge(ledger: Ledger, book: Book, starts: readonly StartPlan[], calls: readonly SinkCall[]): Promise<void> {
  const { runs } = await ledger.listRuns({ tenant: TENANT, limit: 100 });
  judgeStarts(book, starts, runs);
  for (const row of runs) {
    const run = book.runs.get(row.publicId);
    if (run === undefined) {
      book.violated("other", `nobody asked for run ${row.workflow} ${row.publicId}`);
      continue;
    }
    const one: Case = {
      run,
      row,
      program: programOf(row.workflow),
      steps: await ledger.listSteps(TENANT, row.publicId),
      attempts: await ledger.listAttempts(TENANT, row.publicId),
      inbox: await ledger.waits.listSignals(TENANT, row.publicId),
      calls: calls.filter((call) => call.run === row.publicId),
    };
    for (const rule of [judgeEnd, judgeInbox, judgeEffects, judgeTimers, judgePause]) rule(book, one);
  }
  for (const task of book.decisions) {
    const status = (await ledger.tasks.get(TENANT, task))?.status;
    if (status !== "DONE") book.violated("lost", `the acknowledged decision of task ${task} left it ${status}`);
  }
}

function judgeStarts(book: Book, starts: readonly StartPlan[], runs: readonly RunRow[]): void {
  for (const { key } of starts) {
    const started = runs.filter((run) => run.idempotencyKey === key);
    if (started.length > 1) book.violated("repeated", `key ${key} started ${started.length} runs`);
    const acknowledged = book.starts.get(key);
    if (started[0]?.publicId !== acknowledged) book.violated("lost", `the start of ${key} was acknowledged as ${acknowledged}`);
  }
  for (const parent of runs.filter(({ workflow }) => workflow === "family")) {
    const children = runs.filter(({ parentRunId }) => parentRunId === parent.id);
    if (children.length !== 1) book.violated("repeated", `run ${parent.publicId} has ${children.length} children`);
  }
}

function judgeEnd(book: Book, { row, run, program }: Case): void {
  const { status, output, error } = row;
  const end = { status, output: output === null ? null : parseJson(output) };
  if (!isRightEnd(program, run.key, end)) book.violated("lost", `run ${run.key} ended ${status} with ${output ?? error}`);
}

/** Acknowledged signals, cancels, pauses and resumptions are there, signals once; whatever was used was used in order. */
function judgeInbox(book: Book, { run, inbox, row }: Case): void {
  for (const payload of run.signals) {
    const rows = inbox.filter((one) => one.signalId === `${run.key}/${payload}`);
    if (rows.length !== 1)
      book.violated(rows.length === 0 ? "lost" : "repeated", `signal ${payload} of ${run.key} is there ${rows.length} times`);
    if (row.status !== "CANCELLED" && rows[0]?.consumedAt === null) book.violated("lost", `signal ${payload} of ${run.key} had no effect`);
  }
  for (const command of run.commands) {
    const isThere = inbox.some(({ kind, actor }) => `${kind} ${actor}` === command);
    if (!isThere) book.violated("lost", `the acknowledged ${command} of ${run.key} is not in its inbox`);
  }
  const used = inbox.filter(({ kind, consumedAt }) => kind === "signal" && consumedAt !== null);
  for (const [index, one] of used.entries()) {
    const before = used.slice(0, index).findLast(({ name }) => name === one.name);
    if ((before?.consumedAt ?? 0) > (one.consumedAt ?? 0))
      book.violated("other", `signals ${one.name} of ${run.key} were used out of order`);
  }
}

/** What had to happen happened, and nothing else did. */
function judgeEffects(book: Book, { run, row, program, calls, steps }: Case): void {
  const wanted = row.workflow === "once" && row.status === "FAILED" ? [] : program.effects;
  for (const step of wanted)
    if (!calls.some((call) => call.step === step && call.isAccepted))
      book.violated("lost", `${run.key} ended without the effect of ${step}`);
  for (const { step } of calls)
    if (!program.effects.includes(step)) book.violated("other", `${run.key} must not have an effect of ${step}`);
  for (const { path, attempt } of steps) {
    const tried = calls.filter(({ step }) => step === path);
    if (tried.some((call) => call.attempt > attempt))
      book.violated("other", `${path} of ${run.key} was called under an attempt that is not recorded`);
  }
  const firsts = (step: string): number => calls.findIndex((call) => call.step === step);
  if (row.workflow === "saga" && firsts("compensate.charge") > firsts("compensate.reserve"))
    book.violated("other", `${run.key} was undone in the wrong order`);
  const paid = calls.filter(({ step }) => step === "pay");
  if (paid.length > 1) book.violated("repeated", `${run.key} paid ${paid.length} times, which it may do at most once`);
}

/** By the ledger's own clock. */
function judgeTimers(book: Book, { run, program, steps, attempts }: Case): void {
  const find = (path: string): StepRunRow | undefined => steps.find((step) => step.path === path);
  const apart = (what: string, from: number | null | undefined, to: number | null | undefined, least: number): void => {
    if (typeof from === "number" && typeof to === "number" && to - from < least)
      book.violated("early", `${what} of ${run.key} was over after ${to - from} ms, not ${least}`);
  };
  for (const [path, ms] of Object.entries(program.sleeps ?? {})) {
    const { startedAt, finishedAt } = find(path) ?? {};
    apart(path, startedAt, finishedAt, ms);
  }
  for (const round of [1, 2])
    apart(
      "the delay between rounds",
      find(`poll[${round - 1}].check`)?.finishedAt,
      find(`poll[${round}].check`)?.startedAt,
      ROUND_DELAY_MS,
    );
  const byOrdinal = new Map(steps.map((step) => [step.ordinal, step]));
  for (const { ordinal, attempt, status, finishedAt } of attempts) {
    if (status !== "FAILED" || byOrdinal.get(ordinal)?.path !== "flaky") continue;
    const next = attempts.find((other) => other.ordinal === ordinal && other.attempt === attempt + 1);
    apart(
      "the delay before another attempt",
      finishedAt,
      next === undefined ? byOrdinal.get(ordinal)?.finishedAt : next.startedAt,
      RETRY_DELAY_MS,
    );
  }
}

/** Nothing starts between the moment at which a pause takes effect and the person's word that it may go on. */
function judgePause(book: Book, { run, steps, inbox }: Case): void {
  const pause = inbox.find(({ kind }) => kind === "pause");
  const resume = inbox.find(({ kind }) => kind === "resume");
  if (pause === undefined) return;
  const from = pause.consumedAt ?? Number.POSITIVE_INFINITY;
  const to = resume?.acceptedAt ?? Number.POSITIVE_INFINITY;
  for (const { path, startedAt, finishedAt } of steps) {
    const isStarted = startedAt !== null && startedAt > from && startedAt < to;
    const isEnded = path === "ask" && finishedAt !== null && finishedAt > from && finishedAt < to;
    if (isStarted || isEnded) book.violated("early", `${path} of ${run.key} went on while the run was paused`);
  }
}

/**
 * Every request came from a step that the ledger held as RUNNING, under the one key of its step, with attempts that grow: also while
 * runs are not at their end.
 */
export function judgeCalls(book: Book, calls: readonly SinkCall[]): void {
  const keys = new StepKeys(book);
  const attempts = new Map<string, number>();
  for (const call of calls) {
    const { run, step, key, attempt, found } = call;
    const name = `${step} of ${book.runs.get(run)?.key ?? run}`;
    if (found === "SUCCEEDED" || found === "FAILED") book.violated("repeated", `${name} was executed again after it was ${found}`);
    else if (found !== "RUNNING") book.violated("other", `${name} was executed while the ledger held it as ${found}`);
    keys.judge(call, name);
    if ((attempts.get(key) ?? 0) >= attempt) book.violated("repeated", `${name} was executed twice as attempt ${attempt}`);
    attempts.set(key, attempt);
  }
}
