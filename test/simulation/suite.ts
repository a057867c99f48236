import { fork } from "node:child_process";
import { join } from "node:path";
import type { StoreKind } from "./storage/store.ts";
import { addTally, emptyTally, type Tally } from "./tally.ts";

export interface Portion {
  readonly seeds: readonly number[];
  readonly ledger: StoreKind;
}

export interface SuiteOptions {
  readonly portions: readonly Portion[];
  /** Processes at work at once. */
  readonly workers: number;
  /** Told after each piece. */
  readonly progress?: (tally: Tally) => void;
  /** Ends with the first seed that fails. */
  readonly stopsAtFailure?: boolean;
}

/** Seeds in a row from `first`. */
export function seedsFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** Runs seeds in processes of their own, so that a world that takes its process down is a failure like any other. */
export async function runSuite({ portions, workers, progress, stopsAtFailure = false }: SuiteOptions): Promise<Tally> {
  const total = emptyTally();
  for (const { seeds, ledger } of portions) {
    const shares = Array.from({ length: workers }, (_, worker) => seeds.filter((_seed, index) => index % workers === worker));
    const stops: (() => void)[] = [];
    const stop = (): void => {
      for (const each of stops) each();
    };
    await Promise.all(
      shares.map((share) =>
        runShare({ seeds: share, ledger }, stops, (tally) => {
          addTally(total, tally);
          progress?.(total);
          if (stopsAtFailure && total.failures.length > 0) stop();
        }),
      ),
    );
    if (stopsAtFailure && total.failures.length > 0) break;
  }
  return total;
}

function runShare(portion: Portion, stops: (() => void)[], heard: (tally: Tally) => void): Promise<void> {
  if (portion.seeds.length === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const child = fork(join(import.meta.dirname, "worker.ts"));
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
      const seed = portion.seeds[done];
      if (!isStopped && seed !== undefined) heard(died(portion, seed, `${code ?? signal}`));
      resolve();
    });
    child.send(portion);
  });
}

function died({ ledger }: Portion, seed: number, how: string): Tally {
  const violations = [`the process of the simulation ended (${how}) at this seed or one of the next`];
  return { ...emptyTally(), seeds: 1, failures: [{ seed, ledger, violations, story: [], points: [] }] };
}
