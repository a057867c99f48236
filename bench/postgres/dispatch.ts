import { z } from "zod";
import { Backstage } from "../../test/fixtures/redis/backstage.ts";
import { missingRedis, type RedisServer, startRedis } from "../../test/fixtures/redis/server.ts";
import { measureOnce } from "../comparison.ts";
import type { Place } from "../contestant.ts";
import type { Settings } from "../engine-works.ts";
import { runJob } from "../processes.ts";
import type { Row } from "../report.ts";
import { median, pairwise, spreadOf } from "../statistics.ts";

/** Of what starting a run and carrying a job for it could come to, one after the other. */
const MIN_SHARE = 0.7;
const EMPTY_JOBS = 20_000;
const ALONE = { limit: null, ratio: null, ratioToRunning: null, target: null, resources: null } as const;
const emptyAnswer = z.object({ jobsPerSecond: z.number() });

/** Has one worker work on a copy of a filled ledger, whose queue is prepared first, until `isOver`; resolves with the seconds that it took. */
export type WorkOff = (queue: string, prepare: (place: Place) => Promise<void>, isOver: () => Promise<boolean>) => Promise<number>;

/** One worker whose runs come through BullMQ, between W1 and BullMQ's own jobs that do nothing, in turns. */
export async function throughBullmq(settings: Settings, queuedRuns: number, callers: number, workOff: WorkOff): Promise<readonly Row[]> {
  const missing = missingRedis();
  if (missing !== undefined) {
    settings.progress(`W9 without BullMQ: ${missing}`);
    return [];
  }
  await using redis = await startRedis();
  const rates = { direct: [] as number[], empty: [] as number[], through: [] as number[] };
  const load = { kind: "closed", workflow: "three", concurrency: callers, seconds: settings.seconds } as const;
  for (let repetition = 0; repetition < settings.repetitions; repetition++) {
    settings.progress(`W9 through BullMQ, ${repetition + 1} of ${settings.repetitions}`);
    rates.direct.push((await measureOnce({ contestant: settings.ours, load }, settings.server)).runsPerSecond);
    rates.empty.push(await empty(redis, settings.scale, callers));
    const queue = redis.freshUrl();
    await using backstage = new Backstage(redis, queue);
    const prepare = async (place: Place): Promise<void> => void (await runJob({ kind: "announce", place, queue }));
    // every job is done too, not just every run
    const isOver = async (): Promise<boolean> => (await backstage.jobs.getJobCountByTypes("waiting", "active")) === 0;
    rates.through.push(queuedRuns / (await workOff(queue, prepare, isOver)));
  }
  const possible = pairwise(rates.direct, rates.empty, (runs, jobs) => 1 / (1 / runs + 1 / jobs));
  return [
    {
      ...ALONE,
      work: "W9 1 worker, direct, BullMQ",
      unit: "runs/s",
      ours: spreadOf(rates.through),
      limit: spreadOf(possible),
      ratio: median(pairwise(rates.through, possible, (ours, limit) => ours / limit)),
      target: { of: "ratio", bound: "at least", value: MIN_SHARE },
    },
    { ...ALONE, work: `W9 beside it: W1 c=${callers}`, unit: "runs/s", ours: spreadOf(rates.direct) },
    { ...ALONE, work: "W9 beside it: BullMQ alone, empty", unit: "jobs/s", ours: spreadOf(rates.empty) },
  ];
}

async function empty(redis: RedisServer, scale: number, concurrency: number): Promise<number> {
  const answer = await runJob({ kind: "empty-jobs", queue: redis.freshUrl(), count: EMPTY_JOBS * scale, concurrency });
  return emptyAnswer.parse(answer).jobsPerSecond;
}
