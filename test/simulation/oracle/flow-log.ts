import type { Admissions } from "../../../src/ledger/claims.ts";
import { SLOTS } from "../../../src/ledger/rows.ts";
import type { Unit } from "../../../src/ledger/writes.ts";
import { parseJson } from "../../../src/model/json.ts";
import { isTerminalRun } from "../../../src/model/status.ts";
import { asksFor, limitsOf, type NamedLimit } from "../programs/flow.ts";
import { cutAt, type RunTrack, type StepTrack, whereIs } from "./tracks.ts";

/** Who cancels a run for a limit. */
const LIMIT = "limit";

/** How far a run is with its limits, told from the writes and from what was admitted. */
interface FlowTrack {
  readonly run: RunTrack;
  readonly limits: readonly NamedLimit[];
  /** See `SLOTS`; null for one that needs none. */
  slots: number | null;
  /** It has been admitted: what is kept until the end is. */
  isKeeping: boolean;
  /** Position in the log of the last time. */
  admittedAt: number;
}

/** When: by the ledger's clock, and as a position in the log. */
interface AdmittedAt {
  readonly now: number;
  readonly position: number;
}

/** A run that counts under a rate. */
interface Beginning {
  readonly track: FlowTrack;
  readonly at: number;
}

/** Limits: how many runs hold a slot, how many begin in a time, and that nobody works without. */
export class FlowLog {
  readonly #tracks = new Map<RunTrack, FlowTrack>();
  readonly #begun = new Map<string, Beginning[]>();
  readonly #violated: (what: string) => void;

  constructor(violated: (what: string) => void) {
    this.#violated = violated;
  }

  inserted(run: RunTrack): void {
    const { program, insert } = run;
    const input = parseJson(insert.input);
    this.#tracks.set(run, {
      run,
      limits: program === undefined ? [] : limitsOf(program, input),
      slots: insert.slots,
      isKeeping: false,
      admittedAt: 0,
    });
    if (program !== undefined && insert.admission !== asksFor(program, input))
      this.#violated(`run ${insert.publicId} asks for ${insert.admission}, not ${asksFor(program, input)}`);
  }

  /** A step begins: only in a run that has its slots, or is to end. */
  begins(run: RunTrack, step: StepTrack): void {
    const track = this.#tracks.get(run);
    if (track === undefined || cutAt(run) !== null || track.limits.every(({ periodMs }) => periodMs !== null)) return;
    if (track.slots !== SLOTS.held) this.#violated(`${whereIs(run, step.path)} began while its run had no slot`);
  }

  /**
   * A unit is durable: what it says of slots holds.
   *
   * @param knewAt position of the log up to which whoever wrote it had read the run
   */
  landed(run: RunTrack, { writes }: Unit, knewAt: number): void {
    const track = this.#tracks.get(run);
    if (track === undefined) return;
    for (const write of writes) {
      if (write.write === "requeueRun") track.slots = SLOTS.asked;
      else if (write.write === "suspendRun") {
        track.slots = write.slots ?? track.slots;
        if (write.ownerEpoch === null && write.slots === SLOTS.held) this.#violated(`run ${run.insert.publicId} parked and keeps its slot`);
      } else if (write.write === "endRun") {
        track.slots = null;
        track.isKeeping = false;
      }
    }
    const isKnown = knewAt >= track.admittedAt;
    if (isKnown && run.status === "QUEUED" && run.pausedBy !== null && track.slots === SLOTS.held)
      this.#violated(`run ${run.insert.publicId} was paused before it began and keeps its slot`);
  }

  admitted({ runs, accepted }: Admitted, known: ReadonlyMap<number, RunTrack>, { now, position }: AdmittedAt): void {
    for (const run of runs.flatMap((runId) => known.get(runId) ?? [])) this.#admitted(run, now, position);
    for (const { runId } of accepted) {
      const target = known.get(runId);
      const track = target === undefined ? undefined : this.#tracks.get(target);
      if (track !== undefined) this.#cancelled(track, now);
    }
  }

  #admitted(run: RunTrack, now: number, position: number): void {
    const track = this.#tracks.get(run);
    if (track === undefined) return;
    const where = `run ${run.insert.publicId}`;
    if (isTerminalRun(run.status) || run.pausedBy !== null) this.#violated(`${where} was admitted while it was ${run.status} or paused`);
    if (track.slots !== SLOTS.asked) this.#violated(`${where} was admitted and had not asked`);
    for (const limit of track.limits) {
      if (limit.periodMs !== null) this.#counts(track, limit, now);
      else if (!holds(track, limit) && this.#holders(limit).length >= limit.limit)
        this.#violated(`${where} was admitted although ${limit.limit} runs held ${limit.name}`);
    }
    track.slots = track.limits.length === 0 ? null : SLOTS.held;
    track.isKeeping = true;
    track.admittedAt = position;
  }

  /** Over any time no more begin than a burst and what is let through in it. */
  #counts(track: FlowTrack, { name, limit, periodMs }: NamedLimit, now: number): void {
    if (track.run.began !== null) return;
    const before = (this.#begun.get(name) ?? []).filter((other) => other.track !== track);
    const begun = [...before, { track, at: now }];
    this.#begun.set(name, begun);
    for (const [index, { at }] of begun.entries()) {
      const allowed = limit + ((now - at + 1) * limit) / (periodMs ?? 1);
      if (begun.length - index > allowed) this.#violated(`${begun.length - index} runs began in ${now - at} ms under ${name}`);
    }
  }

  /** A limit ends only runs that come and find it full, and holders that one that comes is to replace. */
  #cancelled(track: FlowTrack, now: number): void {
    const { run, limits } = track;
    const isRefused = isComing(track) && limits.some((limit) => limit.onLimit === "reject" && this.#isFull(limit, now));
    const isReplaced = limits.some(
      (limit) => limit.onLimit === "cancel-running" && holds(track, limit) && this.#isFull(limit, now) && this.#isWanted(limit),
    );
    if (!isRefused && !isReplaced) this.#violated(`run ${run.insert.publicId} was cancelled for a limit that nobody came up to`);
  }

  #isFull(limit: NamedLimit, now: number): boolean {
    const { periodMs } = limit;
    if (periodMs !== null) return (this.#begun.get(limit.name) ?? []).some(({ at }) => at > now - periodMs * 2);
    return this.#holders(limit).length >= limit.limit;
  }

  #isWanted({ name }: NamedLimit): boolean {
    return [...this.#tracks.values()].some((track) => isComing(track) && track.limits.some((limit) => limit.name === name));
  }

  #holders({ name }: NamedLimit): readonly FlowTrack[] {
    return [...this.#tracks.values()].filter((track) => track.limits.some((limit) => limit.name === name && holds(track, limit)));
  }
}

function holds({ slots, isKeeping }: FlowTrack, { kind, periodMs }: NamedLimit): boolean {
  return periodMs === null && (kind === "singleton" ? isKeeping : slots === SLOTS.held);
}

/** It waits to begin, and may. */
function isComing({ run, slots }: FlowTrack): boolean {
  return (
    slots === SLOTS.asked &&
    run.status === "QUEUED" &&
    run.pausedBy === null &&
    run.inbox.every(({ row }) => row.kind !== "cancel" || row.actor === LIMIT)
  );
}

/** What one admission gave and took. */
export type Admitted = Pick<Admissions, "runs" | "accepted">;
