import { DatabaseSync } from "node:sqlite";
import type { Ledger, Tasks } from "../../../src/ledger/port.ts";
import { interposed } from "../../../src/testing/harness.ts";
import type { Side } from "../../simulation/oracle/write-points.ts";
import { type Crash, type CrashPoint, pointsAccepting, pointsOf } from "./crash-points.ts";

/** Kills this very process at one moment of its life, and counts the moments that it passed. */
export class Failpoint {
  readonly #crash: Crash | null;
  readonly #last: (crash: Crash) => void;
  readonly #passed = new Map<string, number>();

  /** @param last told, and done with, before the process is dead */
  constructor(crash: Crash | null, last: (crash: Crash) => void) {
    this.#crash = crash;
    this.#last = last;
  }

  /** How often each side of each point was passed, by `C12.before`. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#passed);
  }

  pass(side: Side, points: readonly CrashPoint[]): void {
    for (const point of points) {
      const name = `${point}.${side}`;
      const count = (this.#passed.get(name) ?? 0) + 1;
      this.#passed.set(name, count);
      const crash = this.#crash;
      if (crash === null || crash.point !== point || crash.side !== side || crash.nth !== count) continue;
      this.#last(crash);
      process.kill(process.pid, "SIGKILL");
    }
  }

  /** Both sides of something that is done at once, or whose promise says that it is. */
  async around<T>(points: readonly CrashPoint[], work: () => Promise<T>): Promise<T> {
    this.pass("before", points);
    const result = await work();
    this.pass("after", points);
    return result;
  }
}

/** A ledger on whose every durable change the process may die; each commit waits for `beforeCommit`. */
function failing(ledger: Ledger, failpoint: Failpoint, beforeCommit: () => Promise<void>): Ledger {
  const { events, tasks } = ledger;
  return interposed(ledger, {
    events: { publish: (entry) => failpoint.around(["C20"], () => events.publish(entry)) },
    tasks: failingTasks(tasks, failpoint),
    own: (worker, heard) => failpoint.around(["C29"], () => ledger.own(worker, heard)),
    commit: async (batch) => {
      await beforeCommit();
      failpoint.pass("before", pointsOf(batch.units));
      const outcome = await ledger.commit(batch);
      const missed = outcome.outcome === "fenced" ? [...batch.units.keys()] : outcome.missed;
      const written = batch.units.filter((_, index) => !missed.includes(index));
      if (written.length > 0) failpoint.pass("after", pointsOf(written));
      failpoint.pass("before", ["C14"]);
      setImmediate(() => failpoint.pass("after", ["C14"]));
      return outcome;
    },
    accept: (entry) => failpoint.around(pointsAccepting(entry.kind), () => ledger.accept(entry)),
    loadRun: (runId) => failpoint.around(["C06"], () => ledger.loadRun(runId)),
    close: () => failpoint.around(["C35"], () => ledger.close()),
  });
}

function failingTasks(tasks: Tasks, failpoint: Failpoint): Tasks {
  return {
    list: (query) => tasks.list(query),
    get: (tenant, publicId) => tasks.get(tenant, publicId),
    decide: (entry) => failpoint.around(["C27"], () => tasks.decide(entry)),
    poll: (request) => failpoint.around(["C05"], () => tasks.poll(request)),
    claim: (lease, worker) => failpoint.around(["C05"], () => tasks.claim(lease, worker)),
    heartbeat: (lease) => failpoint.around(["C28"], () => tasks.heartbeat(lease)),
    complete: (lease, payload) => failpoint.around(["C27"], () => tasks.complete(lease, payload)),
    fail: (lease, failure) => tasks.fail(lease, failure),
    restore: (tenant, publicId) => tasks.restore(tenant, publicId),
  };
}

/** Opens a ledger so that the process may die at every statement of its migration. */
export async function openFailing(failpoint: Failpoint, open: () => Promise<Ledger>, beforeCommit: () => Promise<void>): Promise<Ledger> {
  const execute = Object.getOwnPropertyDescriptor(DatabaseSync.prototype, "exec");
  if (execute === undefined) throw new Error("node:sqlite executes statements in another way");
  DatabaseSync.prototype.exec = function exec(this: DatabaseSync, sql: string): void {
    const points: readonly CrashPoint[] = /^\s*(?:CREATE|BEGIN IMMEDIATE|COMMIT)/.test(sql) ? ["C34"] : [];
    failpoint.pass("before", points);
    Reflect.apply(execute.value, this, [sql]);
    failpoint.pass("after", points);
  };
  const ledger = await open();
  Object.defineProperty(DatabaseSync.prototype, "exec", execute);
  return failing(ledger, failpoint, beforeCommit);
}
