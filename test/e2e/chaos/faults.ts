import { query } from "../../fixtures/postgres/database.ts";
import type { PostgresServer } from "../../fixtures/postgres/server.ts";
import { between, oneOf } from "../crash/schedule.ts";
import type { EffectSink } from "../crash/sink.ts";
import type { Random } from "../seeded-random.ts";
import { after } from "./pace.ts";
import { NO_CLOCK_JUMPS } from "./wall-clock.ts";
import { LEASE_MS, type WorkerSlot } from "./worker-slot.ts";

/** What is done to workers, to their network and to their server, and how often beside the others. */
const WEIGHTS = {
  kill: 3,
  freeze: 3,
  stall: 3,
  drain: 2,
  clock: 2,
  delay: 2,
  reset: 2,
  partition: 3,
  terminate: 2,
  "server killed": 1,
  "server stopped": 1,
} as const;
export type FaultKind = keyof typeof WEIGHTS;

const isFault = (name: string): name is FaultKind => Object.hasOwn(WEIGHTS, name);
export const FAULTS: readonly FaultKind[] = Object.keys(WEIGHTS).filter((name) => isFault(name));
const WEIGHED = FAULTS.flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind));

/** One fault: how long after the one before, to which worker, and how long it lasts. */
export interface Fault {
  readonly kind: FaultKind;
  readonly afterMs: number;
  readonly slot: number;
  readonly ms: number;
}

export interface Victims {
  readonly server: PostgresServer;
  readonly slots: readonly WorkerSlot[];
  readonly sink: EffectSink;
}

/** How far a wall clock may be from the right time after a jump, for as long as there is no other one: an hour, ten years, nothing. */
const JUMPS_S = [3_600, -3_600, 315_360_000, -315_360_000, 0];
const jumpOf = (n: number): number => JUMPS_S[n % JUMPS_S.length] ?? 0;

/** Faults one after the other until so much time is over; a worker suffers its own while the next one is under way. */
export function planFaults(random: Random, workers: number, durationMs: number): readonly Fault[] {
  const faults: Fault[] = [];
  for (let at = 0; at < durationMs; ) {
    const afterMs = between(random, 200, 1_200);
    const kind = oneOf(WEIGHED, random);
    const ms = Math.round(LEASE_MS * (0.3 + random() * 2));
    faults.push({ kind, afterMs, slot: between(random, 0, workers - 1), ms });
    at += afterMs;
  }
  return faults;
}

/** Inflicts faults, and knows what is still to be put right. */
export class Chaos {
  readonly inflicted = new Map<FaultKind, number>();
  /** Faults that this machine cannot have. */
  readonly skipped = new Map<FaultKind, number>();
  readonly #victims: Victims;
  #open: Promise<void>[] = [];
  #server: Promise<void> = Promise.resolve();

  constructor(victims: Victims) {
    this.#victims = victims;
  }

  async run(faults: readonly Fault[]): Promise<void> {
    // no two workers agree on the time, from the beginning
    for (const [index, slot] of this.#victims.slots.entries()) slot.clock.set(jumpOf(index));
    for (const fault of faults) {
      await after(fault.afterMs);
      const isPossible = fault.kind !== "clock" || NO_CLOCK_JUMPS === undefined;
      const counts = isPossible ? this.inflicted : this.skipped;
      counts.set(fault.kind, (counts.get(fault.kind) ?? 0) + 1);
      if (isPossible) this.#open.push(this.#inflict(fault));
    }
  }

  /** Every fault is over: what was frozen goes on, what was cut is joined, and the server is there. */
  async over(): Promise<void> {
    await Promise.all(this.#open);
    await this.#server;
    this.#open = [];
    this.#victims.sink.stallMs = 0;
    for (const slot of this.#victims.slots) {
      slot.clock.set(0);
      slot.proxy.slow(0);
      await slot.proxy.restore();
    }
  }

  async #inflict({ kind, slot: index, ms }: Fault): Promise<void> {
    const { server, slots, sink } = this.#victims;
    const slot = slots[index];
    if (slot === undefined) return;
    const during = async (begin: () => unknown, lastsMs: number, end: () => unknown): Promise<void> => {
      await begin();
      await after(lastsMs);
      await end();
    };
    const deeds: Readonly<Record<FaultKind, () => Promise<void> | void>> = {
      kill: () => slot.kill("SIGKILL"),
      drain: () => slot.kill("SIGTERM"),
      freeze: () =>
        during(
          () => slot.kill("SIGSTOP"),
          ms,
          () => slot.kill("SIGCONT"),
        ),
      stall: () => {
        sink.stallMs = ms;
      },
      clock: () => slot.clock.set(jumpOf(ms)),
      delay: () =>
        during(
          () => slot.proxy.slow(ms / 10),
          ms * 2,
          () => slot.proxy.slow(0),
        ),
      reset: () =>
        during(
          () => slot.proxy.refuse(),
          ms / 10,
          () => slot.proxy.restore(),
        ),
      partition: () =>
        during(
          () => slot.proxy.swallow(),
          ms,
          () => slot.proxy.restore(),
        ),
      terminate: () => this.#terminate(index),
      "server killed": () => this.#serverAway(() => server.kill(), ms),
      "server stopped": () => this.#serverAway(() => server.stopImmediately(), ms),
    };
    await deeds[kind]();
  }

  /** Ends half of the sessions of all workers; the server may be away just now. */
  async #terminate(half: number): Promise<void> {
    const sessions = `FROM pg_stat_activity WHERE application_name = 'stepwell' AND pid % 2 = ${half % 2}`;
    await query(this.#victims.server.url, `SELECT pg_terminate_backend(pid) ${sessions}`).catch(() => undefined);
  }

  /** One after the other: a server that is away cannot go away. */
  #serverAway(end: () => Promise<void>, ms: number): Promise<void> {
    this.#server = this.#server.then(async () => {
      await end();
      await after(ms / 2);
      await this.#victims.server.restart();
    });
    return this.#server;
  }
}
