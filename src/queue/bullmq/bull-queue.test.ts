import { connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listen } from "../../../test/fixtures/loopback-server.ts";
import { Backstage } from "../../../test/fixtures/redis/backstage.ts";
import type { RedisServer } from "../../../test/fixtures/redis/server.ts";
import { sharedRedis } from "../../../test/fixtures/redis/shared-redis.ts";
import { Yard, YardEngine } from "../../testing/conformance/queue/yard.ts";
import type { AnnouncedRun, Queue, QueueNews } from "../port.ts";
import { MOST_WORDS } from "./announcer.ts";
import { openBullQueue } from "./bull-queue.ts";
import { redisPlaceOf } from "./place.ts";

const NEVER_MS = 1_000_000;
const runOf = (publicId: string): AnnouncedRun => ({ publicId, tenant: "acme", versionId: 7, workerGroup: "default" });
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("jobs on a Redis", () => {
  const started = sharedRedis();
  let server: RedisServer;
  let url: string;
  const ends: Queue[] = [];
  const engines: YardEngine[] = [];
  beforeEach(async () => {
    server = await started();
    url = server.freshUrl();
  });
  afterEach(async () => {
    for (const engine of engines.splice(0)) engine.stop();
    await Promise.all(ends.splice(0).map((queue) => queue.close()));
  });
  const opened = async (options: { readonly isPatient?: boolean; readonly sweepMs?: number } = {}): Promise<Queue> => {
    const queue = await openBullQueue({ url, sweepMs: NEVER_MS, ...options });
    ends.push(queue);
    return queue;
  };
  const engineOf = (yard: Yard, queue: Queue, room: number): YardEngine => {
    const engine = new YardEngine(yard, queue, room);
    engines.push(engine);
    return engine;
  };
  const heard = async (engine: YardEngine, type: QueueNews["type"]): Promise<QueueNews> => {
    for (;;) {
      const news = engine.news.find((each) => each.type === type);
      if (news !== undefined) return news;
      await nextTurn();
    }
  };

  test("S3-2 S3-11 S3-24 a stored run is a job of BullMQ: workflow_run, with its run, version, tenant and a reference to its input", async () => {
    await using backstage = new Backstage(server, url);
    (await opened()).announce(runOf("run-1"));
    await backstage.until("waiting", 1);
    const job = await backstage.jobs.getJob("run-1");
    expect(job?.name).toBe("workflow_run");
    expect(job?.data).toEqual({
      workflowRunId: "run-1",
      workflowVersionId: 7,
      tenantId: "acme",
      workerGroup: "default",
      input: { ref: "run-1" },
    });
  });

  test("S0-12 a run is one job however often it is announced, and leaves nothing behind when it is done", async () => {
    await using backstage = new Backstage(server, url);
    const [queue, yard] = [await opened(), new Yard()];
    for (let time = 0; time < 50; time++) {
      queue.announce(runOf("run-1"));
      await nextTurn();
    }
    await backstage.until("waiting", 1);
    const engine = engineOf(yard, queue, 10);
    await backstage.quiet();
    expect(engine.looks).toBe(1);
    expect(await backstage.jobs.getJob("run-1")).toBeUndefined();
  });

  test("S0-12 a job with a delay wakes nobody before its time", async () => {
    await using backstage = new Backstage(server, url);
    const [queue, yard] = [await opened(), new Yard()];
    const engine = engineOf(yard, queue, 10);
    queue.announce({ ...runOf("later"), delayMs: 3_600_000 });
    await backstage.until("delayed", 1);
    yard.store(queue, "now");
    await yard.until(() => engine.held.length === 1);
    expect(await backstage.jobs.getJobCountByTypes("delayed")).toBe(1);
    await (await backstage.jobs.getJob("later"))?.promote();
    yard.store(queue);
    await backstage.until("delayed", 0);
    await backstage.quiet();
    expect(engine.looks).toBe(2);
  });

  test("S0-12 the job of a run that is withdrawn is gone", async () => {
    await using backstage = new Backstage(server, url);
    const queue = await opened();
    queue.announce(runOf("run-1"));
    queue.announce(runOf("run-2"));
    await backstage.until("waiting", 2);
    queue.withdraw("run-1");
    await backstage.until("waiting", 1);
    expect(await backstage.jobs.getJob("run-1")).toBeUndefined();
  });

  test("what is announced right before the end of a process is sent", async () => {
    await using backstage = new Backstage(server, url);
    const queue = await opened();
    for (let index = 0; index < 1_200; index++) queue.announce(runOf(`run-${index}`));
    await queue.close();
    expect(await backstage.jobs.getJobCountByTypes("waiting")).toBe(1_200);
  });

  test("an engine without room leaves jobs where they are, also those that it was just handed", async () => {
    await using backstage = new Backstage(server, url);
    const [queue, yard] = [await opened(), new Yard()];
    const engine = engineOf(yard, queue, 1);
    yard.store(queue, "first");
    await yard.until(() => engine.held.length === 1);
    yard.store(queue, "second", "third");
    await backstage.until("waiting", 2);
    await backstage.until("active", 0);
    expect(engine.looks).toBe(1);
    await engine.widen(10);
    await backstage.until("waiting", 0);
  });

  test("a job for a worker group goes on to an engine that serves it, and is dropped when nobody does", async () => {
    await using backstage = new Backstage(server, url);
    const yard = new Yard();
    yard.group = "gpu";
    const [queue, other] = [await opened(), await opened()];
    const plain = engineOf(yard, queue, 10);
    yard.store(queue, "unserved");
    await yard.until(() => plain.held.length === 1);
    await backstage.quiet();
    const able = engineOf(yard, other, 10);
    able.groups = ["gpu"];
    const looks = plain.looks;
    for (const publicId of ["one", "two", "three"]) yard.store(queue, publicId);
    await yard.until(() => able.held.length === 3);
    expect(plain.looks).toBe(looks);
  });

  test("jobs that nobody of ours made are put aside with a reason, told, not tried again, and harm nobody", async () => {
    await using backstage = new Backstage(server, url);
    const [queue, yard] = [await opened(), new Yard()];
    const engine = engineOf(yard, queue, 10);
    const good = { workflowRunId: "a", workflowVersionId: 1, tenantId: "t", workerGroup: "g", input: { ref: "a" } };
    const bad = [
      ["send_mail", good, 'the name of a job is workflow_run, not "send_mail"'],
      ["workflow_run", {}, "job must have required property 'workflowRunId'"],
      ["workflow_run", { ...good, more: 1 }, "job must NOT have additional properties"],
      ["workflow_run", { ...good, workflowVersionId: "1" }, "job/workflowVersionId must be integer"],
      ["workflow_run", { ...good, input: { secret: 1 } }, "job/input must have required property 'ref'"],
      ["workflow_run", "text", "job must be object"],
      ["workflow_run", null, "job must be object"],
    ] as const;
    for (const [index, [name, data]] of bad.entries()) await backstage.jobs.add(name, data, { jobId: `bad-${index}`, attempts: 5 });
    await backstage.until("failed", bad.length);
    for (const [index, [, , message]] of bad.entries()) {
      const job = await backstage.jobs.getJob(`bad-${index}`);
      expect(job?.failedReason).toBe(`QUEUE_JOB_INVALID: ${message}`);
      expect(job?.attemptsMade).toBe(1);
    }
    const told = engine.news.flatMap((news) => (news.type === "job.refused" ? [`${news.jobId} ${news.error.code}`] : []));
    expect(told.toSorted()).toEqual(bad.map((_, index) => `bad-${index} QUEUE_JOB_INVALID`));
    expect(engine.looks).toBe(0);
    yard.store(queue, "good");
    await yard.until(() => engine.held.length === 1);
  });

  test("a job whose look fails comes again", async () => {
    const [queue, yard] = [await opened(), new Yard()];
    const engine = engineOf(yard, queue, 10);
    engine.failures = 2;
    yard.store(queue, "run");
    await yard.until(() => engine.held.length === 1);
    expect(engine.looks).toBe(3);
  });

  test("P17 FLUSHALL costs the time until an engine looks by itself, and what comes afterwards is told of at once", async () => {
    await using backstage = new Backstage(server, url);
    const [queue, yard] = [await opened({ sweepMs: 200 }), new Yard()];
    yard.store(queue, "lost");
    await backstage.until("waiting", 1);
    await server.flush();
    const engine = engineOf(yard, queue, 10);
    await yard.until(() => engine.held.length === 1);
    const patient = engineOf(yard, await opened(), 10);
    engine.stop();
    yard.store(queue, "told");
    await yard.until(() => patient.held.length === 1);
    expect([engine.held, patient.held]).toEqual([["lost"], ["told"]]);
  });

  test("what others wrote without a word to the queue is looked for sooner", async () => {
    const without = await opened({ sweepMs: 2_000 });
    const withNews = await opened({ sweepMs: 2_000 });
    let isTime = withNews.isTimeToLook(true);
    while (!isTime) {
      expect(without.isTimeToLook(false)).toBe(false);
      await new Promise((resolve) => setImmediate(resolve));
      isTime = withNews.isTimeToLook(false);
    }
    expect(withNews.isTimeToLook(false)).toBe(false);
  });

  test("P17 when Redis is killed, engines go by the ledger, are told once, and by jobs again when it is back", async () => {
    const [queue, yard] = [await opened(), new Yard()];
    const engine = engineOf(yard, queue, 1_000);
    await server.kill();
    const stalled = await heard(engine, "queue.stalled");
    yard.store(queue, "meanwhile");
    await yard.until(() => engine.held.length === 1);
    await server.restart();
    await heard(engine, "queue.resumed");
    const other = await opened();
    yard.store(other, "afterwards");
    await yard.until(() => engine.held.length === 2);
    expect(engine.news.map(({ type }) => type)).toEqual(["queue.stalled", "queue.resumed"]);
    expect(JSON.stringify(stalled)).not.toContain(server.password);
  });

  test("P17 words that cannot be sent are kept up to a number, and sent when Redis is back", async () => {
    const [queue, yard] = [await opened(), new Yard()];
    const sender = await opened();
    const engine = engineOf(yard, sender, 0);
    await server.kill();
    await heard(engine, "queue.stalled");
    for (let index = 0; index < MOST_WORDS + 500; index++) queue.announce(runOf(`run-${index}`));
    await server.restart();
    await using backstage = new Backstage(server, url);
    await backstage.until("waiting", MOST_WORDS);
    queue.announce(runOf("last"));
    await backstage.until("waiting", MOST_WORDS + 1);
    expect(await backstage.jobs.getJob(`run-${MOST_WORDS}`)).toBeUndefined();
  });

  test("P17 a Redis that answers nothing holds up nobody: not who announces, not the end of a process", async () => {
    const [queue, yard] = [await opened(), new Yard()];
    const engine = engineOf(yard, queue, 10);
    yard.store(queue, "before");
    await yard.until(() => engine.held.length === 1);
    using frozen = new DisposableStack();
    frozen.use(server.freeze());
    const begun = performance.now();
    for (let index = 0; index < 1_000; index++) queue.announce(runOf(`run-${index}`));
    expect(performance.now() - begun).toBeLessThan(500);
    // its connections are given up, and by then the ledger is gone by
    await heard(engine, "queue.stalled");
    yard.store(queue, "frozen");
    await yard.until(() => engine.held.length === 2);
    const ending = performance.now();
    await queue.close();
    expect(performance.now() - ending).toBeLessThan(1_000);
  });

  test("P17 connections that are dead without a word are made anew, and jobs come again", async () => {
    await using way = await halfOpenWay(server.url);
    const direct = url;
    url = direct.replace(/@[^/]+/, `@${way.url.replace("http://", "")}`);
    const [queue, yard] = [await opened(), new Yard()];
    const engine = engineOf(yard, queue, 10);
    yard.store(queue, "before");
    await yard.until(() => engine.held.length === 1);
    way.forget();
    queue.announce(runOf("unheard"));
    await heard(engine, "queue.resumed");
    url = direct;
    yard.store(await opened(), "afterwards");
    await yard.until(() => engine.held.length === 2);
    expect(engine.news.map(({ type }) => type)).toEqual(["queue.stalled", "queue.resumed"]);
  });

  test("a Redis that does not answer at the start is refused in one line, and waited for by who has been ready before", async () => {
    await server.kill();
    const refused = await openBullQueue({ url }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "QUEUE_UNREACHABLE" });
    expect(String(refused)).toMatch(/^StepwellError: redis:\/\/127\.0\.0\.1:\d+\/0\?prefix=\S+: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
    const [queue, yard] = [await opened({ isPatient: true }), new Yard()];
    const engine = engineOf(yard, queue, 10);
    yard.store(queue, "meanwhile");
    await yard.until(() => engine.held.length === 1);
    await server.restart();
    await heard(engine, "queue.resumed");
    yard.store(await opened(), "afterwards");
    await yard.until(() => engine.held.length === 2);
  });

  test("a wrong password is refused without showing it", async () => {
    const wrong = new URL(url);
    wrong.password = "not-the-password";
    const refused = await openBullQueue({ url: wrong.href }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "QUEUE_UNREACHABLE" });
    expect(String(refused)).toContain("WRONGPASS");
    expect(`${String(refused)} ${JSON.stringify(refused)}`).not.toMatch(new RegExp(`not-the-password|${server.password}`));
  });

  test("a Redis that may throw keys away is used, with a warning", async () => {
    const client = server.client();
    await client.config("SET", "maxmemory-policy", "allkeys-lru");
    const [queue, yard] = [await opened(), new Yard()];
    const engine = engineOf(yard, queue, 10);
    await client.config("SET", "maxmemory-policy", "noeviction");
    client.disconnect();
    expect(await heard(engine, "queue.warned")).toMatchObject({ error: { code: "QUEUE_EVICTS" } });
    yard.store(queue, "run");
    await yard.until(() => engine.held.length === 1);
  });
});

describe("a server that speaks like a Redis", () => {
  test("and is too old is refused with its version", async () => {
    await using server = await fakeRedis("redis_version:5.0.14\r\nmaxmemory_policy:noeviction\r\n");
    const refused = await openBullQueue({ url: server.url.replace("http", "redis"), isPatient: true }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "QUEUE_UNSUPPORTED", message: expect.stringContaining("is Redis 5.0.14; the queue needs 6.2") });
  });

  test("and takes connections without ever answering is refused like one that is not there", async () => {
    await using server = await fakeRedis(undefined);
    const refused = await openBullQueue({ url: server.url.replace("http", "redis") }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "QUEUE_UNREACHABLE" });
  });
});

describe("the URL of a queue", () => {
  test("names server, database and prefix, and is shown without user and password", () => {
    expect(redisPlaceOf("rediss://me:secret@cache.internal:6380/2?prefix=blue")).toEqual({
      url: "rediss://me:secret@cache.internal:6380/2",
      prefix: "blue",
      name: "rediss://cache.internal:6380/2?prefix=blue",
    });
    expect(redisPlaceOf("redis://localhost")).toMatchObject({ prefix: "stepwell", name: "redis://localhost" });
  });

  test.each([
    "http://localhost",
    "redis:",
    "redis://localhost/orders",
    "redis://localhost?prefix=a:b",
    "redis://u:secret@localhost?password=secret",
  ])("that cannot be read is refused without being shown: %s", (url) => {
    expect(() => redisPlaceOf(url)).toThrow(expect.objectContaining({ code: "USAGE", message: expect.not.stringContaining("secret") }));
  });
});

/** A way to a server on which connections can be forgotten, as firewalls do: nothing passes over them any more, and nobody is told. */
async function halfOpenWay(url: string) {
  const { port } = new URL(url);
  const sockets = new Set<Socket>();
  const way = createServer((near) => {
    const far = connect(Number(port), "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    near.pipe(far).pipe(near);
  });
  const listening = await listen(way, () => {
    for (const socket of sockets) socket.destroy();
  });
  return {
    ...listening,
    forget: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
  };
}

/** Answers INFO with a text, and whatever else it is asked with OK; without a text it is silent. */
async function fakeRedis(info: string | undefined) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    if (info === undefined) return;
    socket.on("data", (data) => {
      const asked = data.toString("latin1").match(/\*\d+\r\n\$\d+\r\n\w+/g) ?? [];
      for (const each of asked) socket.write(/info$/i.test(each) ? `$${info.length}\r\n${info}\r\n` : "+OK\r\n");
    });
  });
  return listen(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}
