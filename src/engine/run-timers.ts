import type { InsertWait } from "../ledger/writes.ts";
import type { Timer } from "../model/clock.ts";
import type { RunHost } from "./run-host.ts";

export type Deadline = Pick<InsertWait, "dueInMs" | "dueAt">;

/** The run's own two timers: its deadline, on the ledger's clock, and the grace that its operators get once it is to end. */
export class RunTimers {
  readonly #host: Pick<RunHost, "alarm" | "clock" | "ledgerNow">;
  readonly #timeoutMs: number | null;
  readonly #onDeadline: () => void;
  #mayBeLate = true;
  #deadlineAt: number | null = null;
  #deadline: Timer | undefined;
  #grace: Timer | undefined;

  constructor(host: Pick<RunHost, "alarm" | "clock" | "ledgerNow">, timeoutMs: number | null, onDeadline: () => void) {
    this.#host = host;
    this.#timeoutMs = timeoutMs;
    this.#onDeadline = onDeadline;
  }

  /** When a run that leaves memory is to be looked for; undefined: it has no deadline, or none that has a say any more. */
  get deadline(): Deadline | undefined {
    if (this.#timeoutMs === null || !this.#mayBeLate) return undefined;
    // one that parks in the commit that begins it is counted from there
    return this.#deadlineAt === null ? { dueInMs: this.#timeoutMs, dueAt: null } : { dueInMs: null, dueAt: this.#deadlineAt };
  }

  get isOverdue(): boolean {
    return this.#deadlineAt !== null && this.#host.ledgerNow() >= this.#deadlineAt;
  }

  /** The earlier of the deadline and another moment; null: time ends neither. */
  earliest(other: number | null): number | null {
    if (this.#deadlineAt === null || other === null) return this.#deadlineAt ?? other;
    return Math.min(this.#deadlineAt, other);
  }

  /** The run is RUNNING on disk for the first time. */
  began(at: number): void {
    if (this.#timeoutMs !== null) this.restore(at + this.#timeoutMs);
  }

  /** @param deadlineAt as the ledger has it; null: none is known yet */
  restore(deadlineAt: number | null): void {
    if (deadlineAt === null || !this.#mayBeLate) return;
    this.#deadlineAt = deadlineAt;
    this.#deadline = this.#host.alarm(deadlineAt, this.#onDeadline);
  }

  /** The run is to end, or all its steps have: it cannot take too long any more. */
  dropDeadline(): void {
    this.#mayBeLate = false;
    this.#deadlineAt = null;
    this.#deadline?.cancel();
  }

  setGrace(delayMs: number, callback: () => void): void {
    this.dropDeadline();
    this.#grace?.cancel();
    this.#grace = this.#host.clock.setTimer(delayMs, callback, true);
  }

  cancel(): void {
    this.dropDeadline();
    this.#grace?.cancel();
  }
}
