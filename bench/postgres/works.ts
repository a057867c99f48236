import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { query } from "../../test/fixtures/postgres/new-database.ts";
import { measureIn } from "../comparison.ts";
import type { Place } from "../contestant.ts";
import type { Settings, WorkResult } from "../engine-works.ts";
import { sourceOf } from "../ours.ts";
import { inOwnPlace } from "../place.ts";
import { runJob, startJob } from "../processes.ts";
import type { Row, Target } from "../report.ts";
import { median, spreadOf } from "../statistics.ts";
import { stepsOf } from "../workflows.ts";
import { throughBullmq, type WorkOff } from "./dispatch.ts";
import { type Growth, growthOf } from "./table-growth.ts";

const WORKERS = [1, 2, 4] as const;
/** Runs that a worker of W9 has in hand. */
const CONCURRENCY = 256;
const QUEUED_RUNS = 10_000;
const DELAY_MS = 1;
/** Than a closed loop: workers that have just been started are still warming up. */
const TIMES_LONGER = 4;
const MIN_SPEED_UP = 1.7;
const LOOK_EVERY_MS = 250;
const LOOK_OFTEN_MS = 50;
const MAX_BYTES_PER_STEP = 350;
const MAX_DEAD_PER_RUN = 1;
const ALONE = { limit: null, ratio: null, ratioToRunning: null, resources: null } as const;
// of what ended in the middle, when all workers were there and the queue was not yet empty
const RATE = `SELECT 0.8 * count(*) / (percentile_disc(0.9) WITHIN GROUP (ORDER BY finished_at)
  - percentile_disc(0.1) WITHIN GROUP (ORDER BY finished_at)) * 1000 AS runs_per_second FROM stepwell.runs WHERE status = 'SUCCEEDED'`;
const HAS_BEGUN = "SELECT EXISTS (SELECT 1 FROM stepwell.run WHERE finished_at IS NOT NULL)";
const IS_OPEN = "SELECT EXISTS (SELECT 1 FROM stepwell.run WHERE finished_at IS NULL) AS is_open";

const proxied = z.object({ url: z.string() });

/** A queue of runs is worked on by 1, 2 and 4 worker processes, which reach the server directly or through a proxy that adds a millisecond. */
export async function w9(settings: Settings): Promise<WorkResult> {
  const server = settings.server ?? "";
  const runs = QUEUED_RUNS * settings.scale;
  return inOwnPlace(server, async (filled) => {
    settings.progress(`W9, ${runs} runs into a queue`);
    await runJob({ kind: "fill", place: filled, runs });
    const template = new URL(filled.database ?? "").pathname.slice(1);
    const proxy = await startJob({ kind: "proxy", server, delayMs: DELAY_MS });
    const ways = { direct: undefined, "behind 1 ms": proxied.parse(proxy.answer).url };
    const rows: Row[] = [];
    for (const [way, url] of Object.entries(ways)) {
      const rates = new Map<number, number[]>(WORKERS.map((workers) => [workers, []]));
      for (let repetition = 0; repetition < settings.repetitions; repetition++) {
        for (const workers of WORKERS) {
          settings.progress(`W9 ${way}, ${workers} workers, ${repetition + 1} of ${settings.repetitions}`);
          rates.get(workers)?.push(await inOwnPlace(server, (place) => workOff(settings, through(place, url), place, workers), template));
        }
      }
      rows.push(...rowsOf(way, rates));
    }
    await proxy.kill();
    const all = [...rows, ...(await throughBullmq(settings, runs, CONCURRENCY, workOffPrepared(settings, template)))];
    return { rows: all, details: all };
  });
}

/** The same place by way of the proxy. */
function through({ directory, database }: Place, proxy: string | undefined): Place {
  if (proxy === undefined || database === null) return { directory, database };
  const url = new URL(database);
  url.host = new URL(proxy).host;
  return { directory, database: url.href };
}

/** One worker on a copy of the filled database, to its end. */
function workOffPrepared({ ours, server }: Settings, template: string): WorkOff {
  return (queue, prepare, isOver) =>
    inOwnPlace(
      server ?? "",
      async (place) => {
        await prepare(place);
        const worker = await startJob({ kind: "worker", from: sourceOf(ours), concurrency: CONCURRENCY, place, queue });
        const said = async (sql: string): Promise<unknown> => Object.values((await query(place.database ?? "", sql))[0] ?? {})[0];
        while ((await said(HAS_BEGUN)) !== true) await sleep(LOOK_OFTEN_MS);
        const begunAt = performance.now();
        // each question to PostgreSQL is a connection of its own, which takes what is measured its time
        while (!(await isOver()) || (await said(IS_OPEN)) === true) await sleep(LOOK_OFTEN_MS);
        const seconds = (performance.now() - begunAt) / 1_000;
        await worker.kill();
        return seconds;
      },
      template,
    );
}

/** Runs per second, over some seconds or until none is left. */
async function workOff({ ours, seconds }: Settings, seen: Place, { database }: Place, workers: number): Promise<number> {
  const job = { kind: "worker", from: sourceOf(ours), concurrency: CONCURRENCY, place: seen } as const;
  const started = await Promise.all(Array.from({ length: workers }, () => startJob(job)));
  const url = database ?? "";
  const endsAt = performance.now() + seconds * TIMES_LONGER * 1_000;
  while (performance.now() < endsAt && (await query(url, IS_OPEN))[0]?.["is_open"] === true) await sleep(LOOK_EVERY_MS);
  const [row] = await query(url, RATE);
  await Promise.all(started.map((worker) => worker.kill()));
  return Number(row?.["runs_per_second"]);
}

function rowsOf(way: string, rates: ReadonlyMap<number, readonly number[]>): readonly Row[] {
  const alone = rates.get(1) ?? [];
  return [...rates].map(([workers, values]): Row => {
    const ratio = workers === 1 ? null : median(values.map((value, index) => value / (alone[index] ?? Number.NaN)));
    const isPromised = workers === 2 && way !== "direct";
    return {
      ...ALONE,
      work: `W9 ${workers} ${workers === 1 ? "worker" : "workers"}, ${way}`,
      unit: "runs/s",
      ours: spreadOf(values),
      limit: workers === 1 ? null : spreadOf(alone),
      ratio,
      target: isPromised ? { of: "ratio", bound: "at least", value: MIN_SPEED_UP } : null,
    };
  });
}

/** What a plain run leaves behind: W1 with 256 callers, then VACUUM. */
export async function disk(settings: Settings): Promise<WorkResult> {
  const samples: Growth[] = [];
  for (let repetition = 0; repetition < settings.repetitions; repetition++) {
    settings.progress(`disk, ${repetition + 1} of ${settings.repetitions}`);
    samples.push(await inOwnPlace(settings.server, (place) => grow(settings, place)));
  }
  const row = (work: string, unit: string, read: (growth: Growth) => number, target: Target | null): Row => ({
    ...ALONE,
    work: `disk: ${work}`,
    unit,
    ours: spreadOf(samples.map(read)),
    target,
  });
  const atMost = (value: number): Target => ({ of: "figure", bound: "at most", value });
  return {
    rows: [
      row("a trivial step", "bytes", ({ bytesPerStep }) => bytesPerStep, atMost(MAX_BYTES_PER_STEP)),
      row("a run of 3 steps, all told", "bytes", ({ bytesPerRun }) => bytesPerRun, null),
      row("dead rows beyond status changes", "rows/run", ({ deadPerRun }) => deadPerRun, atMost(MAX_DEAD_PER_RUN)),
      row("updates that are HOT", "%", ({ hotPercent }) => hotPercent, null),
      row("log (WAL)", "bytes/run", ({ walPerRun }) => walPerRun, null),
    ],
    details: samples,
  };
}

async function grow({ ours, seconds }: Settings, place: Place): Promise<Growth> {
  const load = { kind: "closed", workflow: "three", concurrency: CONCURRENCY, seconds } as const;
  const { runs, usage } = await measureIn(place, { contestant: ours, load });
  return { ...(await growthOf(place.database ?? "", stepsOf(load.workflow))), walPerRun: (usage.server?.walBytes ?? 0) / runs };
}
