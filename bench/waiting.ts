import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { Definition, Stepwell } from "../src/index.ts";
import { peakRssMb, startMeter, type Usage } from "./meter.ts";
import { openStepwell, type Source } from "./ours.ts";
import { median, percentile } from "./statistics.ts";

/** What one process measured with runs that wait. */
export interface WaitingSample {
  readonly runs: number;
  /** From the first `start` until every run is SUSPENDED on disk. */
  readonly insertedPerSecond: number;
  /** While nothing happens: the median of the samples, and the highest. */
  readonly waitingRssMb: number;
  readonly highestWaitingRssMb: number;
  /** From the moment at which all fall due until the last has ended. */
  readonly wokenPerSecond: number;
  readonly wakingRssMb: number;
  /** A `start` of another workflow while runs wake: until it is durable. */
  readonly startMs: Times;
  /** A `get` of a run meanwhile. */
  readonly getMs: Times;
  /** Timers that fall due one after the other: from the due time to the step's end, by the ledger's clock. */
  readonly parkedLateMs: Times;
  readonly shortLateMs: Times;
  readonly early: number;
  /** From the first signal until the last run that waited for one has ended. */
  readonly signalledPerSecond: number;
  readonly usage: Usage;
  readonly peakRssMb: number;
}

export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

const WORKFLOWS: readonly Definition[] = [
  { name: "sleeper", steps: [{ uses: "sleep", with: { until: "{{ input.at }}" } }] },
  { name: "waiter", steps: [{ uses: "wait", with: { signal: "go" } }] },
  { name: "one", steps: [{ uses: "work" }] },
];

const CALLERS = 256;
const CALIBRATING_RUNS = 5_000;
/** Long enough that the run leaves memory, see `LIMITS.shortDelayMs`. */
const PARKED_MS = 7_000;
const TIMERS = 10_000;
/** Over so long the timers fall due one after the other. */
const SPREAD_MS = 5_000;
/** Short enough that the run stays, as long as there is room. */
const SHORT_MS = 500;
const SHORT_SPREAD_MS = 4_000;
const REST_SAMPLES = 20;
const REST_EVERY_MS = 100;
const PROBE_EVERY_MS = 20;
/** Insertion may be slower than the calibration and still end before the first run falls due. */
const MARGIN = 1.5;
/** For everything that is measured while the runs wait. */
const MEANWHILE_MS = 35_000;

/**
 * Has so many runs wait, measures what they cost meanwhile, and wakes them all at one moment.
 *
 * @throws Error when a run was lost, or the machine became too slow to insert them all before they fall due
 */
export async function measureWaiting(directory: string, from: Source, runs: number): Promise<WaitingSample> {
  const { stepwell, ledger } = await openStepwell({ directory, database: null }, from);
  for (const workflow of WORKFLOWS) await stepwell.register(workflow);
  const stored = new StoredWaits(ledger);
  const calibratedPerSecond = await insertSleepers(stepwell, stored, CALIBRATING_RUNS, () => Date.now() + PARKED_MS);
  await stored.empty();
  const stop = await startMeter({ directory, database: null });
  const due = Date.now() + ((runs + 2 * TIMERS) / calibratedPerSecond) * MARGIN * 1_000 + MEANWHILE_MS;
  const insertedPerSecond = await insertSleepers(stepwell, stored, runs, () => due);
  const resting = await sampleRss();
  const parkedLateMs = await spreadTimers(stepwell, stored, PARKED_MS, SPREAD_MS);
  const shortLateMs = await spreadTimers(stepwell, stored, SHORT_MS, SHORT_SPREAD_MS);
  if (Date.now() > due) throw new Error("the machine became slower: the runs fell due before all was measured that comes first");
  await sleep(Math.max(0, due - Date.now()));
  const waking = await wakeAll(stepwell, stored, runs, due);
  const usage = await stop();
  const signalledPerSecond = await signalAll(stepwell, stored, Math.max(1_000, Math.floor(runs / 10)));
  const early = stored.early();
  await stepwell.stop();
  const lost = stored.unfinished();
  stored.close();
  if (lost > 0) throw new Error(`${lost} runs have not ended`);
  return {
    runs,
    insertedPerSecond,
    waitingRssMb: median(resting),
    highestWaitingRssMb: Math.max(...resting),
    ...waking,
    parkedLateMs,
    shortLateMs,
    early,
    signalledPerSecond,
    usage,
    peakRssMb: peakRssMb(),
  };
}

/** Runs per second. */
async function insertSleepers(stepwell: Stepwell, stored: StoredWaits, runs: number, dueOf: (index: number) => number): Promise<number> {
  const startedAt = performance.now();
  const before = stored.count();
  await together(runs, (index) => {
    const due = Math.ceil(dueOf(index));
    return stepwell.start("sleeper", { at: new Date(due).toISOString(), due });
  });
  while (stored.count() < before + runs) await sleep(5);
  return (runs * 1_000) / (performance.now() - startedAt);
}

async function spreadTimers(stepwell: Stepwell, stored: StoredWaits, fromMs: number, spreadMs: number): Promise<Times> {
  const before = stored.lastRun();
  await together(TIMERS, () => {
    // counted from its own start: the machine may need seconds to insert them all
    const due = Math.ceil(Date.now() + fromMs + Math.random() * spreadMs);
    return stepwell.start("sleeper", { at: new Date(due).toISOString(), due });
  });
  await sleep(fromMs + spreadMs);
  while (stored.unfinishedSince(before) > 0) await sleep(100);
  return timesOf(stored.lateMs(before));
}

async function wakeAll(stepwell: Stepwell, stored: StoredWaits, runs: number, due: number) {
  const startMs: number[] = [];
  const getMs: number[] = [];
  const rssMb: number[] = [];
  while (!stored.isEmpty()) {
    const startedAt = performance.now();
    const id = await stepwell.start("one", {});
    startMs.push(performance.now() - startedAt);
    const askedAt = performance.now();
    await stepwell.get(id);
    getMs.push(performance.now() - askedAt);
    rssMb.push(process.memoryUsage.rss() / 2 ** 20);
    await sleep(PROBE_EVERY_MS);
  }
  const wokenPerSecond = (runs * 1_000) / (Date.now() - due);
  return { wokenPerSecond, wakingRssMb: Math.max(...rssMb), startMs: timesOf(startMs), getMs: timesOf(getMs) };
}

/** Runs per second. */
async function signalAll(stepwell: Stepwell, stored: StoredWaits, runs: number): Promise<number> {
  const ids: string[] = [];
  await together(runs, async (index) => {
    ids[index] = await stepwell.start("waiter", {});
  });
  while (stored.count() < runs) await sleep(5);
  const startedAt = performance.now();
  await together(runs, (index) => stepwell.signal(ids[index] ?? "", "go"));
  await stored.empty();
  return (runs * 1_000) / (performance.now() - startedAt);
}

/** So many calls by a few callers, each of which makes its next one when its last has been answered. Nothing is kept: memory is measured. */
async function together(count: number, call: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await call(index);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

async function sampleRss(): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let sample = 0; sample < REST_SAMPLES; sample++) {
    await sleep(REST_EVERY_MS);
    samples.push(process.memoryUsage.rss() / 2 ** 20);
  }
  return samples;
}

function timesOf(values: readonly number[]): Times {
  return { p50: percentile(values, 0.5), p99: percentile(values, 0.99), longest: percentile(values, 1) };
}

/** A look into the file from aside. */
class StoredWaits {
  readonly #db: DatabaseSync;

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { readOnly: true });
  }

  count(): number {
    return this.#number("SELECT count(*) AS n FROM wait");
  }

  /** Asked often: costs nothing, however many there are. */
  isEmpty(): boolean {
    return this.#number("SELECT NOT EXISTS (SELECT 1 FROM wait) AS n") === 1;
  }

  async empty(): Promise<void> {
    while (!this.isEmpty()) await sleep(5);
  }

  lastRun(): number {
    return this.#number("SELECT max(id) AS n FROM run");
  }

  unfinished(): number {
    return this.#number("SELECT count(*) AS n FROM run WHERE status <> 'SUCCEEDED'");
  }

  unfinishedSince(id: number): number {
    return this.#number(`SELECT count(*) AS n FROM run WHERE id > ${id} AND finished_at IS NULL`);
  }

  lateMs(after: number): readonly number[] {
    const sql = `SELECT s.finished_at - json_extract(r.input, '$.due') AS n FROM run r JOIN step s ON s.key = r.id << 28 WHERE r.id > ${after}`;
    return this.#db
      .prepare(sql)
      .all()
      .map((row) => Number(row["n"]));
  }

  /** Sleeps that ended before their time, of all runs. */
  early(): number {
    return this.#number(
      "SELECT count(*) AS n FROM run r JOIN step s ON s.key = r.id << 28 WHERE s.finished_at < json_extract(r.input, '$.due')",
    );
  }

  close(): void {
    this.#db.close();
  }

  #number(sql: string): number {
    return Number(this.#db.prepare(sql).get()?.["n"]);
  }
}
