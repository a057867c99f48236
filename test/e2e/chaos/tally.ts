import type { Wrong } from "../crash/book.ts";
import { FAULTS, type FaultKind } from "./faults.ts";
import type { Finding } from "./round.ts";
import { NO_CLOCK_JUMPS } from "./wall-clock.ts";

/** What all rounds come to. */
export class Tally {
  readonly #wrong: Record<Wrong, number> = { lost: 0, repeated: 0, early: 0, stale: 0, other: 0 };
  readonly #faults = new Map<FaultKind, number>();
  readonly #startedAt = performance.now();
  readonly #seed: number;
  #skipped = 0;
  #rounds = 0;
  #runs = 0;
  #effects = 0;
  #calls = 0;
  #late = 0;
  #mistimed = 0;
  #workers = 0;
  #gaveUp = 0;
  readonly #upgrade = { killed: 0, forward: 0, back: 0 };
  readonly #beside = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Adds a round; gives a line for everything that was wrong in it. */
  add(finding: Finding): readonly string[] {
    const { seed, faults, skipped, upgrade, beside, violations } = finding;
    this.#rounds += 1;
    this.#runs += finding.runs;
    this.#effects += finding.effects;
    this.#calls += finding.calls;
    this.#late += finding.late;
    this.#mistimed += finding.mistimed;
    this.#workers += finding.workers;
    this.#gaveUp += finding.gaveUp;
    this.#upgrade.killed += upgrade.killed;
    this.#upgrade.forward += upgrade.forward;
    this.#upgrade.back += upgrade.back;
    for (const [version, count] of beside) this.#beside.set(version, (this.#beside.get(version) ?? 0) + count);
    for (const [kind, count] of faults) this.#faults.set(kind, this.of(kind) + count);
    for (const count of skipped.values()) this.#skipped += count;
    for (const { wrong } of violations) this.#wrong[wrong] += 1;
    return violations.map(({ wrong, what }) => `seed ${seed}: ${wrong}: ${what} (after ${listed(faults)})`);
  }

  of(kind: FaultKind): number {
    return this.#faults.get(kind) ?? 0;
  }

  get hasFailed(): boolean {
    return Object.values(this.#wrong).some((count) => count > 0);
  }

  toString(): string {
    const { lost, repeated, early, stale, other } = this.#wrong;
    const faults = FAULTS.map((kind) => [kind, this.of(kind)] as const);
    const total = faults.reduce((sum, [, count]) => sum + count, 0);
    const skips = this.#skipped === 0 ? "" : `; SKIPPED: ${this.#skipped} clock jumps (${NO_CLOCK_JUMPS})`;
    const size = `${this.#rounds} rounds, ${this.#runs} runs, ${this.#effects} effects by ${this.#calls} calls (${this.#late} late, ${this.#mistimed} by a wrong clock)`;
    const workers = `${this.#workers} worker processes (${this.#gaveUp} gave up)`;
    const { killed, forward, back } = this.#upgrade;
    const commits = listed(this.#beside);
    const upgrades = `${killed} migrations killed in their middle, ${forward} workers upgraded, ${back} back; commits side by side: ${commits}`;
    const verdict = `${lost} lost, ${repeated} repeated, ${stale} stale, ${early} early, ${other} otherwise wrong`;
    const seconds = Math.round((performance.now() - this.#startedAt) / 1_000);
    return `${total} faults (${listed(new Map(faults))})${skips}\n${upgrades}\n${size}, ${workers}: ${verdict}; ${seconds} s, seed ${this.#seed}`;
  }
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([kind, count]) => `${kind} ${count}`).join(", ");
}
