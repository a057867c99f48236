import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ledger } from "../../../src/ledger/port.ts";
import { openLedger, verifyLedger } from "../../../src/ledger/url.ts";
import { Stepwell } from "../../../src/main/stepwell.ts";
import { openBullQueue } from "../../../src/queue/bullmq/bull-queue.ts";
import { type RunningProcess, Workspace } from "../../fixtures/cli-process.ts";
import { startPostgres } from "../../fixtures/postgres/server.ts";
import { type RedisServer, startRedis } from "../../fixtures/redis/server.ts";
import { after } from "../chaos/pace.ts";
import { PRESENT } from "../chaos/versions.ts";
import { TENANT } from "../crash/book.ts";
import { between, oneOf } from "../crash/schedule.ts";
import { EffectSink } from "../crash/sink.ts";
import { type Random, randomFrom } from "../seeded-random.ts";
import { LAST_STEP, Load, WORKFLOW } from "./load.ts";

const KINDS = ["FLUSHALL", "SIGKILL"] as const;
type Kind = (typeof KINDS)[number];

export interface Finding {
  readonly losses: Readonly<Record<Kind, number>>;
  readonly runs: number;
  readonly calls: number;
  /** From the moment in which a run was stored to its last effect, milliseconds. */
  readonly slowestMs: number;
  /** What is wrong, a line for each. */
  readonly lost: readonly string[];
  readonly repeated: readonly string[];
}

const WORKERS = 2;
/** Little, so that jobs wait in Redis. */
const CONCURRENCY = 8;
const MOST_AT_ONCE = 40;
/** Of the losses: those of jobs that no worker has heard of. */
const UNHEARD_SHARE = 0.3;
/** Without losses everything is over within a look that engines make by themselves, also on a machine that has other things to do. */
const SETTLE_MS = 60_000;
const TICK_MS = 20;

/** Workers of the command line on a PostgreSQL, to whom a Redis brings the word of runs and loses it, so many times. */
export async function surviveLosses(times: number, seed: number, progress: (done: number) => void = () => undefined): Promise<Finding> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "stepwell-redis-"));
  stack.defer(() => rm(directory, { recursive: true }));
  const server = stack.use(await startPostgres());
  const redis = stack.use(await startRedis());
  const sink = stack.use(await EffectSink.open(join(directory, "sink.jsonl")));
  const queueUrl = redis.freshUrl();
  const ledger = await openLedger(server.url);
  stack.defer(() => ledger.close());
  const versionId = await register(server.url, ledger);
  sink.look = async (run, path) => (await ledger.listSteps(TENANT, run)).find((step) => step.path === path);
  const queue = await openBullQueue({ url: queueUrl });
  stack.defer(() => queue.close());
  const place = stack.use(new Workspace());
  const workers = Array.from({ length: WORKERS }, () => startWorker(place, server.url, queueUrl, sink.url));
  stack.defer(async () => {
    for (const worker of workers) worker.kill("SIGKILL");
    await Promise.all(workers.map(({ ended }) => ended));
  });
  await Promise.all(workers.map((worker) => worker.printed(" is ready: ")));
  const slowest = new Slowest(sink);
  const load = new Load(ledger, queue, versionId);
  const losses = await loseTimes(times, { random: randomFrom(seed), workers, redis, sink, load }, progress);
  await allEnded(load, sink);
  for (const worker of workers) worker.kill("SIGTERM");
  for (const { exitCode, stdout, stderr } of await Promise.all(workers.map((worker) => worker.ended)))
    if (exitCode !== 0) throw new Error(`a worker ended with ${exitCode}:\n${stdout}\n${stderr}`);
  return {
    losses,
    runs: load.storedAt.size,
    calls: sink.calls.length,
    slowestMs: slowest.of(load),
    ...(await judge(server.url, ledger, load, sink)),
  };
}

/** The id of the version. */
async function register(url: string, ledger: Ledger): Promise<number> {
  const stepwell = new Stepwell({ ledger: await openLedger(url), operators: { effect: () => undefined } });
  await stepwell.register(WORKFLOW);
  await stepwell.stop();
  return (await ledger.latestVersion(TENANT, WORKFLOW.name))?.id ?? 0;
}

function startWorker(place: Workspace, ledger: string, queue: string, sink: string): RunningProcess {
  const terms = ["--operators", PRESENT.operators, "--concurrency", String(CONCURRENCY)];
  return place.start(["worker", "--ledger", ledger, "--queue", queue, ...terms], { CHAOS_SINK: sink });
}

interface Victims {
  readonly random: Random;
  readonly workers: readonly RunningProcess[];
  readonly redis: RedisServer;
  readonly sink: EffectSink;
  readonly load: Load;
}

/** Each time some runs are stored, and a little later, while jobs wait, are at work or are announced, Redis loses everything. */
async function loseTimes(times: number, victims: Victims, progress: (done: number) => void): Promise<Readonly<Record<Kind, number>>> {
  const losses = { FLUSHALL: 0, SIGKILL: 0 };
  for (let done = 1; done <= times; done++) {
    const kind = oneOf(KINDS, victims.random);
    // after the last loss no word comes that could bring up what the lost ones were of
    const isUnheard = done === times || victims.random() < UNHEARD_SHARE;
    await (isUnheard ? loseUnheard(kind, victims) : loseAtWork(kind, victims));
    losses[kind] += 1;
    progress(done);
  }
  return losses;
}

async function loseAtWork(kind: Kind, { random, redis, sink, load }: Victims): Promise<void> {
  await load.store(between(random, 1, MOST_AT_ONCE));
  const until = sink.calls.length + between(random, 0, MOST_AT_ONCE);
  // those that are left may all wait for an engine to look by itself
  const mostTicks = between(random, 5, 50);
  for (let waited = 0; sink.calls.length < until && waited < mostTicks; waited++) await after(TICK_MS);
  await lose(kind, redis);
}

/** All workers stand still while jobs come and are lost: nobody has heard of them. */
async function loseUnheard(kind: Kind, { random, workers, redis, load }: Victims): Promise<void> {
  for (const worker of workers) worker.kill("SIGSTOP");
  await load.store(between(random, 1, MOST_AT_ONCE));
  // what is announced is on its way by then, or is sent again afterwards
  await after(TICK_MS);
  await lose(kind, redis);
  for (const worker of workers) worker.kill("SIGCONT");
}

async function lose(kind: Kind, redis: RedisServer): Promise<void> {
  if (kind === "FLUSHALL") await redis.flush();
  else await redis.restart();
}

/** Resolves when the last effect of every run has happened, or when that takes too long. */
async function allEnded({ storedAt }: Load, { calls }: EffectSink): Promise<void> {
  const givesUpAt = performance.now() + SETTLE_MS;
  const isOver = (): boolean => new Set(calls.filter(({ step }) => step === LAST_STEP).map(({ run }) => run)).size === storedAt.size;
  while (!isOver() && performance.now() < givesUpAt) await after(TICK_MS);
}

/** Notes when runs had their last effect. */
class Slowest {
  readonly #endedAt = new Map<string, number>();

  constructor(sink: EffectSink) {
    sink.onCall = () => {
      const call = sink.calls.at(-1);
      if (call?.step === LAST_STEP) this.#endedAt.set(call.run, performance.now());
    };
  }

  of({ storedAt }: Load): number {
    return Math.round(Math.max(...[...this.#endedAt].map(([run, at]) => at - (storedAt.get(run) ?? at))));
  }
}

/** No worker has died: what was asked of the sink twice was done again for nothing. */
async function judge(url: string, ledger: Ledger, { storedAt }: Load, { calls }: EffectSink): Promise<Pick<Finding, "lost" | "repeated">> {
  const lost: string[] = [];
  for (const publicId of storedAt.keys()) {
    const run = await ledger.getRun(TENANT, publicId);
    if (run?.status !== "SUCCEEDED") lost.push(`${publicId} is ${run?.status} (${run?.reason})`);
  }
  const keys = new Set<string>();
  const repeated: string[] = [];
  for (const { key, attempt, found } of calls) {
    if (keys.has(key)) repeated.push(`${key} was executed again as attempt ${attempt}, when its step was ${found}`);
    keys.add(key);
  }
  const { checks } = await verifyLedger(url);
  for (const { id, count, first } of checks) if (count > 0) lost.push(`${id} failed ${count} times: ${JSON.stringify(first)}`);
  return { lost, repeated };
}

/** One line for people. */
export function textOf({ losses, runs, calls, slowestMs, lost, repeated }: Finding, seed: number): string {
  const total = losses.FLUSHALL + losses.SIGKILL;
  const did = `${total} losses of Redis (FLUSHALL ${losses.FLUSHALL}, SIGKILL ${losses.SIGKILL}), ${runs} runs, ${calls} effects`;
  return `${did}: ${lost.length} lost, ${repeated.length} repeated; the slowest run took ${slowestMs} ms; seed ${seed}`;
}
