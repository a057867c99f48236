import type { Clock, Timer } from "../model/clock.ts";
import { orLate } from "./or-late.ts";
import { Passage } from "./passage.ts";
import type { LingeringRun } from "./run-host.ts";

/**
 * How long a parked run stays that was sent something. Answers to one run tend to come together: with 1,000 open items each of
 * them read all items back, which took 17.8 ms of CPU; now it takes 1.2 ms, however many there are (`npm run bench -- growth`).
 */
const LINGER_MS = 2_000;
const SWEEP_MS = 500;

/** The runs that an engine drives, found by either id. Lingering ones take no room from others: the oldest leaves for each that comes. */
export class RunsInMemory<R extends LingeringRun> {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #byId = new Passage<number, R>();
  readonly #byPublicId = new Passage<string, R>();
  /** When each has to leave, on the monotonic clock; the oldest first. */
  readonly #lingering = new Map<R, number>();
  #sweep: Timer | undefined;
  #emptied: (() => void) | undefined;

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  /** Runs that have something to do, or wait for something near. */
  get busy(): number {
    return this.#byId.size - this.#lingering.size;
  }

  /** How many more may come. */
  get free(): number {
    return this.#most - this.busy;
  }

  /** Half of the room is taken. */
  get isCrowded(): boolean {
    return this.busy * 2 > this.#most;
  }

  get(runId: number): R | undefined {
    return this.#byId.get(runId);
  }

  has(publicId: string): boolean {
    return this.#byPublicId.has(publicId);
  }

  all(): readonly R[] {
    return this.#byId.values();
  }

  add(run: R): void {
    this.#byId.set(run.runId, run);
    this.#byPublicId.set(run.publicId, run);
    if (this.#byId.size > this.#most) this.#dismissOldest();
  }

  delete(runId: number, publicId: string): void {
    const run = this.#byId.take(runId);
    if (run !== undefined) this.#lingering.delete(run);
    this.#byPublicId.take(publicId);
    if (this.#byId.size === 0) this.#emptied?.();
  }

  /** Resolves when none is left, or after so many milliseconds. */
  async emptiedOrLate(lateMs: number): Promise<void> {
    if (this.#byId.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    await orLate(this.#clock, emptied, lateMs);
  }

  /** A run parks: whether it stays for a while, counted from `since` on the monotonic clock. */
  linger(runId: number, since: number): boolean {
    const run = this.#byId.get(runId);
    const until = since + LINGER_MS;
    if (run === undefined || this.isCrowded || until <= this.#clock.monotonic()) return false;
    this.#lingering.delete(run);
    this.#lingering.set(run, until);
    this.#sweep ??= this.#clock.setTimer(SWEEP_MS, () => this.#dismissLate(), true);
    return true;
  }

  /** All that linger leave now. */
  dismissAll(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    for (const run of [...this.#lingering.keys()]) this.#dismiss(run);
  }

  #dismissLate(): void {
    this.#sweep = undefined;
    const now = this.#clock.monotonic();
    for (const [run, until] of this.#lingering) {
      if (until > now) break;
      this.#dismiss(run);
    }
    if (this.#lingering.size > 0) this.#sweep = this.#clock.setTimer(SWEEP_MS, () => this.#dismissLate(), true);
  }

  #dismissOldest(): void {
    const [oldest] = this.#lingering.keys();
    if (oldest !== undefined) this.#dismiss(oldest);
  }

  #dismiss(run: R): void {
    this.#lingering.delete(run);
    run.leave();
  }
}
