import type { Ledger } from "../../../src/ledger/port.ts";
import { openPostgresLedger } from "../../../src/ledger/postgres/ledger.ts";
import { verifyLedger } from "../../../src/ledger/url.ts";
import { Stepwell } from "../../../src/main/stepwell.ts";
import { query } from "../../fixtures/postgres/database.ts";
import type { PostgresServer } from "../../fixtures/postgres/server.ts";
import { type Book, TENANT, type Violation } from "../crash/book.ts";
import { judge } from "../crash/judge.ts";
import { Outside } from "../crash/outside.ts";
import type { Schedule, StartPlan } from "../crash/schedule.ts";
import type { EffectSink } from "../crash/sink.ts";
import { STARTED, WORKFLOWS } from "../crash/workflows.ts";
import { randomFrom } from "../seeded-random.ts";
import { CommitsSeen } from "./commits-seen.ts";
import { chaosOperators } from "./effects.ts";
import { Chaos, type FaultKind, planFaults } from "./faults.ts";
import { judgeSharedCalls } from "./judge-calls.ts";
import { after, TICK_MS, untilReached } from "./pace.ts";
import { Upgrade } from "./upgrade.ts";
import type { NextVersion } from "./versions.ts";
import { WorkerSlot } from "./worker-slot.ts";

/** Where rounds are run, one after the other. */
export interface Place {
  readonly server: PostgresServer;
  readonly sink: EffectSink;
  readonly next: NextVersion;
}

export interface Finding {
  readonly seed: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly skipped: ReadonlyMap<FaultKind, number>;
  readonly runs: number;
  /** Effects at the sink, one for each key. */
  readonly effects: number;
  readonly calls: number;
  /** Calls of workers that had long lost the run. */
  readonly late: number;
  /** Calls of workers whose clock was wrong by half an hour or more. */
  readonly mistimed: number;
  /** Processes of workers, and those of them that ended by themselves because they were fenced or cut off. */
  readonly workers: number;
  readonly gaveUp: number;
  readonly upgrade: Upgrade["counts"];
  /** Commits of each version once the migration of the next one was in. */
  readonly beside: ReadonlyMap<string, number>;
  readonly violations: readonly Violation[];
}

const WORKERS = 3;
/** Without faults everything is over in a few leases, also on a machine that has other things to do. */
const SETTLE_MS = 60_000;
const HALF_HOUR_MS = 1_800_000;
/** Of each workflow. */
const COPIES = 3;

/** A ledger of its own, workers and people; an upgrade and faults for so long, then none until everything has ended, and then the verdict. */
export async function runRound(seed: number, { server, sink, next }: Place, durationMs: number): Promise<Finding> {
  const schema = `chaos_${seed}`;
  const url = `${server.url}?schema=${schema}`;
  await register(url, sink.url);
  const commits = new CommitsSeen(server.url, schema);
  await commits.watch();
  await using stack = new AsyncDisposableStack();
  const ledger = await openPostgresLedger({ url, mustExist: true });
  stack.defer(() => ledger.close());
  const slots: WorkerSlot[] = [];
  for (let index = 0; index < WORKERS; index++) slots.push(stack.use(await WorkerSlot.open(server.url, schema, sink.url)));
  sink.calls = [];
  sink.look = (run, path) => untilReached(async () => (await ledger.listSteps(TENANT, run)).find((step) => step.path === path));
  const random = randomFrom(seed);
  const people = new People(ledger, seed);
  const chaos = new Chaos({ server, slots, sink });
  const upgrade = stack.use(new Upgrade({ server: server.url, schema, slots, next, book: people.book }, randomFrom(seed + 2)));
  const life = people.live();
  const snapshot = after(durationMs * random()).then(() => verdict(url, people.book));
  const upgraded = upgrade.run(durationMs);
  await Promise.all([chaos.run(planFaults(random, WORKERS, durationMs)), upgraded, people.start(durationMs, upgraded), snapshot]);
  await chaos.over();
  await people.settle(life);
  for (const slot of slots) await slot.stop();
  const late = judgeSharedCalls(people.book, sink.calls);
  if (people.haveAllEnded) await judge(ledger, people.book, people.starts, sink.calls);
  for (const what of await commits.stale()) people.book.violated("stale", what);
  await verdict(url, people.book);
  await upgrade.judge();
  const beside = await commits.beside();
  await query(server.url, `DROP SCHEMA ${schema} CASCADE`);
  return {
    seed,
    faults: chaos.inflicted,
    skipped: chaos.skipped,
    runs: people.book.runs.size,
    effects: new Set(sink.calls.filter(({ isAccepted }) => isAccepted).map(({ key }) => key)).size,
    calls: sink.calls.length,
    late,
    mistimed: sink.calls.filter(({ aheadMs }) => Math.abs(aheadMs) >= HALF_HOUR_MS).length,
    workers: slots.reduce((sum, { counts }) => sum + counts.started, 0),
    gaveUp: slots.reduce((sum, { counts }) => sum + counts.gaveUp, 0),
    upgrade: upgrade.counts,
    beside,
    violations: people.book.violations,
  };
}

/** The workflows go into the ledger, which is made. */
async function register(url: string, sink: string): Promise<void> {
  const stepwell = new Stepwell({ ledger: await openPostgresLedger({ url }), operators: chaosOperators(sink) });
  for (const definition of WORKFLOWS) await stepwell.register(definition);
  await stepwell.stop();
}

/** What `doctor verify` says, also beside workers at work. */
async function verdict(url: string, book: Book): Promise<void> {
  const { checks } = await untilReached(() => verifyLedger(url));
  for (const { id, invariant, count, first } of checks)
    if (count > 0)
      book.violated(invariant === "I4" ? "stale" : "other", `${id} (${invariant}) failed ${count} times: ${JSON.stringify(first)}`);
}

/** They start runs for as long as there are faults, and do what runs wait for until all have ended. */
class People {
  readonly starts: StartPlan[] = [];
  haveAllEnded = false;
  readonly #outside: Outside;
  readonly #ledger: Ledger;
  #isEveryStartMade = false;
  #givesUpAt = Number.POSITIVE_INFINITY;

  constructor(ledger: Ledger, seed: number) {
    this.#ledger = ledger;
    const schedule: Schedule = { seed, starts: this.starts, engines: [], runs: 0, outsideShare: 1, eagerness: 0.1, areCommitsSlow: false };
    this.#outside = new Outside(ledger, schedule, randomFrom(seed + 1), () => undefined);
  }

  get book(): Book {
    return this.#outside.book;
  }

  get #isWrong(): boolean {
    return this.book.violations.length > 0;
  }

  /** The last copies meet workers of both versions. */
  async start(durationMs: number, upgraded: Promise<void>): Promise<void> {
    for (let copy = 0; copy < COPIES; copy++) {
      if (copy === COPIES - 1) await upgraded;
      for (const workflow of STARTED) this.starts.push({ workflow, key: `${workflow}-${copy}`, isQueued: true });
      await after(durationMs / COPIES);
    }
    this.#isEveryStartMade = true;
  }

  async live(): Promise<void> {
    while (performance.now() < this.#givesUpAt && !this.haveAllEnded && !this.#isWrong) {
      const areOver = await untilReached(() => this.#outside.look());
      this.haveAllEnded = areOver && this.#isEveryStartMade && !this.#isWrong;
      await after(TICK_MS);
    }
  }

  async settle(life: Promise<void>): Promise<void> {
    this.#givesUpAt = performance.now() + SETTLE_MS;
    await life;
    if (this.haveAllEnded || this.#isWrong) return;
    for (const { id, key, ended } of this.book.runs.values()) {
      if (ended !== undefined) continue;
      const run = await this.#ledger.getRun(TENANT, id);
      const steps = (await this.#ledger.listSteps(TENANT, id)).map(({ path, status, reason }) => `${path} ${status} (${reason})`);
      this.book.violated("lost", `${key} has not ended: ${run?.status} (${run?.reason}), ${steps.join(", ")}`);
    }
  }
}
