import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { Backstage } from "../../../test/fixtures/redis/backstage.ts";
import type { RedisServer } from "../../../test/fixtures/redis/server.ts";
import { sharedRedis } from "../../../test/fixtures/redis/shared-redis.ts";
import { openLedger } from "../../ledger/url.ts";
import type { StepwellOptions } from "../../main/stepwell.ts";
import type { Json } from "../../model/json.ts";
import type { Operator } from "../../operators/operator.ts";
import { aQueuedRun } from "../../testing/conformance/ledger/builders.ts";
import { Gate, Harness, withQueue } from "../../testing/harness.ts";
import { openBullQueue } from "./bull-queue.ts";
import { payloadOf } from "./job.ts";

/** Nobody looks by himself within a test: whatever an engine takes, a job has told of it. */
const NEVER_MS = 1_000_000;
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `run-${index}`);

describe("runs with BullMQ", () => {
  const database = sharedDatabase();
  const started = sharedRedis();
  let redis: RedisServer;
  let queueUrl: string;
  let ledgerUrl: string;
  const harnesses: Harness[] = [];
  beforeEach(async () => {
    redis = await started();
    queueUrl = redis.freshUrl();
    ledgerUrl = `${await database()}?schema=queue_${randomUUID().replaceAll("-", "")}`;
  });
  afterEach(async () => {
    await Promise.all(harnesses.splice(0).map(({ stepwell }) => stepwell.stop()));
  });

  async function engine(options: Omit<StepwellOptions, "ledger" | "queue">, sweepMs = NEVER_MS): Promise<Harness> {
    const queue = await openBullQueue({ url: queueUrl, sweepMs });
    const harness = new Harness(withQueue(await openLedger(ledgerUrl), queue), options);
    harnesses.push(harness);
    await harness.stepwell.open();
    return harness;
  }

  /** An engine whose only place is taken until the gate opens. */
  async function fullEngine(gate: Gate, operators: Readonly<Record<string, Operator>> = {}): Promise<Harness> {
    const full = await engine({ operators: { ...operators, hold: gate.operator }, concurrency: { runs: 1 } });
    await full.start({ name: "held", steps: [{ uses: "hold" }] });
    await gate.arrivals(1);
    return full;
  }

  test("S0-13 S3-2 S3-12 what a process has no room for is taken by workers that know no definition: the ledger has it", async () => {
    const gate = new Gate();
    const full = await fullEngine(gate, { work: () => "not here" });
    const by =
      (name: string): Operator =>
      (input) => ({ by: name, input });
    const workers = await Promise.all(
      ["first", "second"].map((name) => engine({ operators: { work: by(name) }, concurrency: { runs: 4 } })),
    );
    await full.stepwell.register({
      name: "work",
      steps: { work: { uses: "work", with: "{{ input.n }}" } },
      output: "{{ steps.work.output }}",
    });
    const ids = await Promise.all(names(30).map((_, n) => full.stepwell.start("work", { n })));
    const outputs: Json[] = [];
    for (const id of ids) outputs.push((await full.stepwell.result(id)).output);
    expect(outputs.map((output) => Object(output).input)).toEqual(names(30).map((_, n) => n));
    expect(workers.flatMap(({ events }) => events.filter(({ type }) => type === "run.ended"))).toHaveLength(30);
    gate.open();
  });

  test("P17 jobs that come a hundred times, to several workers, and after the end of their run execute nothing again", async () => {
    const calls: string[] = [];
    const work: Operator = (_input, { idempotencyKey }) => void calls.push(idempotencyKey);
    const gate = new Gate();
    const full = await fullEngine(gate, { work });
    for (let index = 0; index < 2; index++) await engine({ operators: { work } });
    await using backstage = new Backstage(redis, queueUrl);
    await full.stepwell.register({ name: "work", steps: [{ uses: "work" }] });
    const ids = await Promise.all(names(10).map(() => full.stepwell.start("work")));
    const again = async (): Promise<void> => {
      const copies = ids.flatMap((publicId) => names(100).map((copy) => ({ publicId, copy })));
      const data = (publicId: string) => payloadOf({ publicId, tenant: "default", versionId: 1, workerGroup: "default" });
      await backstage.jobs.addBulk(
        copies.map(({ publicId, copy }) => ({ name: "workflow_run", data: data(publicId), opts: { jobId: `${publicId}-${copy}` } })),
      );
      await backstage.quiet();
    };
    await again();
    for (const id of ids) expect((await full.stepwell.result(id)).status).toBe("SUCCEEDED");
    await again();
    expect(calls.toSorted()).toEqual(ids.map((id) => `${id}:work_1`).toSorted());
    gate.open();
  });

  test("P17 a job that comes before its run is dropped, and the run is found all the same", async () => {
    const worker = await engine({ operators: { work: () => "done" } }, 100);
    const ledger = await openLedger(ledgerUrl);
    const queue = await openBullQueue({ url: queueUrl });
    await worker.stepwell.register({ name: "work", steps: [{ uses: "work" }] });
    const version = await ledger.latestVersion("default", "work");
    const run = aQueuedRun(version?.id ?? 0, "early", { input: "{}" });
    await using backstage = new Backstage(redis, queueUrl);
    queue.announce(run);
    await queue.close();
    await backstage.quiet();
    await ledger.enqueueRun(run);
    expect((await worker.stepwell.result("early")).status).toBe("SUCCEEDED");
    expect(await backstage.jobs.getJobCountByTypes("failed")).toBe(0);
    await ledger.close();
  });

  test("S0-12 a cancel takes back the job of a run that waits, and the run is CANCELLED", async () => {
    const gate = new Gate();
    const full = await fullEngine(gate, { work: () => "done" });
    await full.stepwell.register({ name: "work", steps: [{ uses: "work" }] });
    await using backstage = new Backstage(redis, queueUrl);
    const id = await full.stepwell.start("work");
    await backstage.untilJob(id, true);
    await full.stepwell.cancel(id);
    expect((await full.stepwell.result(id)).status).toBe("CANCELLED");
    await backstage.untilJob(id, false);
    gate.open();
  });

  test("a child for which its parent's engine has no room is driven by another one", async () => {
    const [gate, worked] = [new Gate(), new Gate()];
    const full = await engine({ operators: { hold: gate.operator, work: () => "not here" }, concurrency: { runs: 1 } });
    await full.stepwell.register({ name: "kid", steps: [{ uses: "work" }] });
    // the parent stays in memory by a step of its own beside the one that starts the child
    const steps = { hold: { uses: "hold" }, kid: { uses: "workflow", with: { name: "kid" } } };
    const id = await full.start({ name: "parent", steps });
    await gate.arrivals(1);
    await engine({ operators: { work: worked.operator } });
    await worked.arrivals(1);
    worked.open();
    gate.open();
    expect((await full.stepwell.result(id)).status).toBe("SUCCEEDED");
  });

  test("P17 a Redis that answers nothing delays neither starts nor commits nor the end of an engine", async () => {
    const gate = new Gate();
    const full = await fullEngine(gate, { work: () => "done" });
    await full.stepwell.register({ name: "work", steps: [{ uses: "work" }] });
    using frozen = new DisposableStack();
    frozen.use(redis.freeze());
    const begun = performance.now();
    const ids = await Promise.all(names(50).map(() => full.stepwell.start("work")));
    gate.open();
    for (const id of ids) expect((await full.stepwell.result(id)).status).toBe("SUCCEEDED");
    await full.stepwell.stop();
    // by then no answer has been given up yet
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test("S3-10 the engine of a file announces to itself what it has no room for", async () => {
    const directory = await mkdtemp(join(tmpdir(), "stepwell-"));
    ledgerUrl = join(directory, "ledger.db");
    const gate = new Gate();
    const full = await fullEngine(gate, { work: () => "done" });
    await full.stepwell.register({ name: "work", steps: [{ uses: "work" }] });
    const ids = await Promise.all(names(20).map(() => full.stepwell.start("work")));
    gate.open();
    for (const id of ids) expect((await full.stepwell.result(id)).status).toBe("SUCCEEDED");
    await full.stepwell.stop();
    await rm(directory, { recursive: true });
  });
});
