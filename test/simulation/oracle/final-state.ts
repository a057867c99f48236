import { isDeepStrictEqual } from "node:util";
import type { Ledger } from "../../../src/ledger/port.ts";
import type { RunRow, StepRunRow } from "../../../src/ledger/rows.ts";
import { type Json, parseJson } from "../../../src/model/json.ts";
import { isTerminalRun, isTerminalStep } from "../../../src/model/status.ts";
import type { Expected, Program, ProgramEnd } from "../programs/construct.ts";
import type { DurableLog } from "./durable-log.ts";
import type { EffectSink } from "./effect-sink.ts";
import { seenOf } from "./seen.ts";
import { isClosed } from "./task-log.ts";
import { cutAt, type RunTrack, type StepTrack } from "./tracks.ts";
import { checkUndone } from "./undo-rules.ts";

const TENANT = "default";
const BY_END: readonly (string | null)[] = ["run_cancelled", "run_timeout"];

/** Those who saw what happened. */
interface Watched {
  readonly log: DurableLog;
  readonly sink: EffectSink;
  readonly programs: ReadonlyMap<string, Program>;
}

/** Holds the rows of the ledger against the prediction, the log and the sink, once every run has ended. */
export class FinalState {
  readonly #ledger: Ledger;
  readonly #log: DurableLog;
  readonly #sink: EffectSink;

  readonly #programs: ReadonlyMap<string, Program>;

  /** @param ledger a connection that no fault disturbs */
  constructor(ledger: Ledger, { log, sink, programs }: Watched) {
    this.#ledger = ledger;
    this.#log = log;
    this.#sink = sink;
    this.#programs = programs;
  }

  async check(publicId: string): Promise<void> {
    const row = await this.#ledger.getRun(TENANT, publicId);
    const track = this.#log.byPublicId.get(publicId);
    const program = this.#programs.get(row?.workflow ?? "");
    if (row === undefined || track === undefined || program === undefined) {
      this.#log.violated("I1", `run ${publicId} is not in the ledger`);
      return;
    }
    const steps = await this.#ledger.listSteps(TENANT, publicId);
    const end = program.predict(seenOf(track, this.#log.runs));
    this.#checkRun(row, track, end);
    checkUndone(this.#log, track);
    for (const step of steps) this.#checkStep(row, step, track, end);
    if (cutAt(track) === null) this.#checkPresence(row, steps, end);
    await this.#checkRows(row, track);
  }

  /** Every task is what was written of it, and none of a run that has ended is open. */
  async checkTasks(): Promise<void> {
    for (const { publicId, where, run, status, attempt, failures, decidedBy } of this.#log.tasks.all.values()) {
      const row = await this.#ledger.tasks.get(TENANT, publicId);
      const stored = [row?.status, row?.attempt, row?.failures, row?.decidedBy];
      if (!isDeepStrictEqual(stored, [status, attempt, failures, decidedBy]))
        this.#log.violated("P14", `${where} is ${stored.join(" ")}, not ${status} ${attempt} ${failures} ${decidedBy}`);
      if (isTerminalRun(run.status) && !isClosed(status)) this.#log.violated("I2", `${where} is ${status} after the end of its run`);
    }
  }

  /** P14: what the rows say at any moment is what the writes added up to. */
  async checkUnfinished(track: RunTrack): Promise<void> {
    const stored = await this.#ledger.loadRun(track.insert.runId);
    const name = track.insert.publicId;
    if (stored === undefined) {
      this.#log.violated("I1", `run ${name} is not in the ledger`);
      return;
    }
    if (stored.run.status !== track.status) this.#log.violated("P14", `run ${name} is ${stored.run.status}, not ${track.status}`);
    const rows = new Map(stored.steps.map((row) => [row.ordinal, [row.status, row.attempt] as const]));
    const isOpen = (parent: number | null): boolean => parent === null || !isTerminalStep(track.steps.get(parent)?.status ?? "PENDING");
    // of the rounds that a loop has behind it only the last matters
    const isBehind = ({ kind, status, ordinal }: StepTrack): boolean => kind === "round" && isTerminalStep(status) && !rows.has(ordinal);
    const open = [...track.steps.values()].filter((step) => isOpen(step.parent) && !isBehind(step));
    const tracked = new Map(open.map(({ ordinal, status, attempt }) => [ordinal, [status, attempt] as const]));
    if (!isDeepStrictEqual(rows, tracked)) this.#log.violated("P14", `the steps of run ${name} are not what was written`);
    if (stored.run.status === "SUSPENDED" && stored.steps.some((step) => step.status === "RUNNING"))
      this.#log.violated("I8", `run ${name} is SUSPENDED with a RUNNING step`);
  }

  #checkRun(row: RunRow, track: RunTrack, { status, output }: ProgramEnd): void {
    const wanted = track.cancelledAt !== null ? "CANCELLED" : track.timedOutAt !== null ? "FAILED" : status;
    if (row.status !== wanted) this.#log.violated("P2", `run ${row.publicId} is ${row.status}, not ${wanted}`);
    const wantedOutput = wanted === "SUCCEEDED" ? output : null;
    if (!isDeepStrictEqual(valueOf(row.output), wantedOutput)) this.#log.violated("P3", `run ${row.publicId} has the output ${row.output}`);
  }

  /** Every step that must have ended has a row. */
  #checkPresence({ publicId }: RunRow, rows: readonly StepRunRow[], { steps, loose }: ProgramEnd): void {
    const found = new Set(rows.map(({ path }) => path));
    for (const path of steps.keys())
      if (!found.has(path) && !isLoose(path, loose)) this.#log.violated("P11", `step ${path} of run ${publicId} has no row`);
  }

  #checkStep(run: RunRow, row: StepRunRow, track: RunTrack, end: ProgramEnd): void {
    const expected = end.steps.get(row.path);
    const calls = this.#sink.of(run.publicId, row.path);
    const where = `step ${row.path} of run ${run.publicId}`;
    if (expected === undefined) {
      // a run may be ended in the middle of what a prediction leaves out
      if (cutAt(track) === null) this.#log.violated("P11", `${where} was not predicted`);
      return;
    }
    const step = track.byPath.get(row.path);
    const isCut = (cutAt(track) !== null && hasBlockCut(row, step)) || isLoose(row.path, end.loose);
    if (isCut) this.#checkCut(where, row, expected);
    else this.#checkEnd(where, row, expected, step);
    const isUnknown = step?.isUnknown ?? false;
    if (calls.length === 0 && expected.calls && !isCut && !isUnknown) this.#log.violated("P4", `${where} was never called`);
    if (calls.length > 0 && !expected.calls) this.#log.violated("P11", `${where} was called and must not run`);
  }

  #checkEnd(where: string, row: StepRunRow, expected: Expected, step: StepTrack | undefined): void {
    const { status, reason, output, others = [], failures } = expected;
    if (row.status !== status || (reason !== "any" && row.reason !== reason))
      this.#log.violated("P11", `${where} is ${row.status} (${row.reason}), not ${status} (${reason})`);
    else if (![output, ...others].some((one) => isDeepStrictEqual(valueOf(row.output), one)))
      this.#log.violated("P3", `${where} has the output ${row.output}, not ${JSON.stringify(output)}`);
    const counted = step?.failures ?? 0;
    if (step?.isUnknown !== true && counted !== failures) this.#log.violated("P4", `${where} counts ${counted} failures, not ${failures}`);
  }

  /** Whether it came to its end is not known; if it did, its result is. */
  #checkCut(where: string, row: StepRunRow, { status, output, others = [] }: Expected): void {
    if (row.status !== "SUCCEEDED" || status !== "SUCCEEDED") return;
    if (![output, ...others].some((one) => isDeepStrictEqual(valueOf(row.output), one)))
      this.#log.violated("P3", `${where} has the output ${row.output}, not ${JSON.stringify(output)}`);
  }

  async #checkRows({ publicId, id }: RunRow, track: RunTrack): Promise<void> {
    const stored = await this.#ledger.loadRun(id);
    if (stored === undefined) return;
    if (stored.waits.length > 0) this.#log.violated("I6", `run ${publicId} has ended and still waits`);
    if (stored.steps.some(({ status }) => !isTerminalStep(status))) this.#log.violated("I2", `run ${publicId} has ended with an open step`);
    const sent = await this.#ledger.waits.listSignals(TENANT, publicId);
    const held = sent.map(({ seq, kind, name, payload, consumedAt }) => [seq, kind, name, payload, consumedAt !== null]);
    const known = track.inbox.map(({ row, isConsumed }) => [row.seq, row.kind, row.name, row.payload, isConsumed]);
    if (!isDeepStrictEqual(held, known)) this.#log.violated("I5", `the inbox of run ${publicId} is not what was written`);
    const history = await this.#ledger.listHistory(TENANT, publicId);
    for (const [index, line] of history.entries()) {
      const before = history[index - 1];
      if (before !== undefined && line.revision < before.revision) this.#log.violated("I8", `the history of run ${publicId} goes back`);
    }
    if (!isTerminalRun(stored.run.status)) this.#log.violated("I2", `run ${publicId} has not ended`);
  }
}

function isLoose(path: string, loose: ReadonlySet<string>): boolean {
  return [...loose].some((prefix) => path.startsWith(prefix));
}

/** The end of its run ended it, or something inside it. */
function hasBlockCut({ reason, path }: StepRunRow, step: StepTrack | undefined): boolean {
  return BY_END.includes(reason) || step?.kind === "block" || path.includes("[");
}

function valueOf(text: string | null): Json {
  return text === null ? null : parseJson(text);
}
