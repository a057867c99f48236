import { fork } from "node:child_process";
import { join } from "node:path";
import type { Seed } from "./simulate.ts";
import type { StoreKind } from "./storage/store.ts";
import { addTally, emptyTally, type Tally } from "./tally.ts";

/** A seed in the newest vocabulary. */
export type SuiteSeed = Required<Pick<Seed, "seed" | "ledger">>;

export interface SuiteOptions {
  readonly seeds: readonly SuiteSeed[];
  /** Processes at work at once. */
  readonly workers: number;
  /** Told after each piece. */
  readonly progress?: (tally: Tally) => void;
  /** Ends with the first seed that fails. */
  readonly stopsAtFailure?: boolean;
}

/** What a worker gives young objects: with more room fewer of them live long enough to be moved. */
const YOUNG_MEGABYTES = 32;

/** Seeds in a row from `first`. */
export function seedsFrom(first: number, count: number, ledger: StoreKind): readonly SuiteSeed[] {
  return Array.from({ length: count }, (_, index) => ({ seed: first + index, ledger }));
}

/** Runs seeds in processes of their own, so that a world that takes its process down is a failure like any other. */
export async function runSuite({ seeds, workers, progress, stopsAtFailure = false }: SuiteOptions): Promise<Tally> {
  const total = emptyTally();
  const shares = Array.from({ length: workers }, (_, worker) => seeds.filter((_seed, index) => index % workers === worker));
  const stops: (() => void)[] = [];
  const heard = (tally: Tally): void => {
    addTally(total, tally);
    progress?.(total);
    if (stopsAtFailure && total.failures.length > 0) for (const stop of stops) stop();
  };
  await Promise.all(shares.map((share) => runShare(share, stops, heard)));
  return total;
}

function runShare(share: readonly SuiteSeed[], stops: (() => void)[], heard: (tally: Tally) => void): Promise<void> {
  if (share.length === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const child = fork(join(import.meta.dirname, "worker.ts"), { execArgv: [`--max-semi-space-size=${YOUNG_MEGABYTES}`] });
    let done = 0;
    let isStopped = false;
    stops.push(() => {
      isStopped = true;
      child.kill();
    });
    child.on("message", (message: Tally) => {
      done += message.seeds;
      heard(message);
    });
    child.on("exit", (code, signal) => {
      const seed = share[done];
      if (!isStopped && seed !== undefined) heard(died(seed, `${code ?? signal}`));
      resolve();
    });
    child.send(share);
  });
}

function died({ seed, ledger }: SuiteSeed, how: string): Tally {
  const violations = [`the process of the simulation ended (${how}) at this seed or one of the next`];
  return { ...emptyTally(), seeds: 1, failures: [{ seed, ledger, violations, story: [], points: [] }] };
}
