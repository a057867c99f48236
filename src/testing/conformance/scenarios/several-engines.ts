import { describe, expect, test } from "vitest";
import type { Ledger } from "../../../ledger/port.ts";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, interposed, type OpenLedger } from "../../harness.ts";

const TENANT = "default";
const two = { name: "two", steps: [{ uses: "work" }, { uses: "work" }] };

/** What an API process does: it stores a run and knows nothing of operators. */
async function enqueue(ledger: Ledger, workflow: string, publicId: string, input = "{}"): Promise<void> {
  const version = await ledger.latestVersion(TENANT, workflow);
  if (version === undefined) throw new Error(`${workflow} is not registered`);
  await ledger.enqueueRun({
    publicId,
    tenant: TENANT,
    versionId: version.id,
    input,
    labels: null,
    initiator: "api",
    trigger: "call",
    environment: "test",
    idempotencyKey: null,
    idempotencyHash: null,
    deadlineInMs: null,
    workerGroup: "default",
    admission: null,
  });
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `run-${index}`);

/** Engines that share a ledger: each run is driven by one of them, and none of them is needed. */
export function describeSeveralEngines(open: () => Promise<OpenLedger>): void {
  describe("several engines", () => {
    test("S0-9 S0+6 runs that a process without an engine has stored are taken from the queue, each by one engine, its list in order", async () => {
      const reopen = await open();
      const client = await reopen();
      const calls: string[] = [];
      const work: Operator = (_input, { idempotencyKey }) => void calls.push(idempotencyKey);
      const engines = [new Harness(await reopen(), { operators: { work } }), new Harness(await reopen(), { operators: { work } })];
      for (const { stepwell } of engines) await stepwell.register(two);
      const ids = names(20);
      for (const id of ids) await enqueue(client, "two", id);
      for (const id of ids) expect((await engines[0]?.stepwell.result(id))?.status).toBe("SUCCEEDED");
      for (const id of ids) expect(calls.filter((key) => key.startsWith(`${id}:`))).toEqual([`${id}:work_1`, `${id}:work_2`]);
      for (const { stepwell } of engines) await stepwell.stop();
      await client.close();
    });

    test("S1-39 a run goes to the group of its route, which it keeps whatever becomes of the routes", async () => {
      const reopen = await open();
      const ledger = await reopen();
      await ledger.routes.put({ tenant: null, workflow: "render", topic: null, group: "gpu" });
      const seen: string[] = [];
      const at =
        (name: string): Operator =>
        () =>
          void seen.push(name);
      const plain = new Harness(await reopen(), { operators: { work: at("plain") }, groups: ["default"] });
      await plain.stepwell.register({
        name: "render",
        steps: [{ uses: "work" }, { id: "go", uses: "wait", with: { signal: "go" } }, { uses: "work" }],
      });
      const id = await plain.stepwell.start("render");
      await expect(plain.stepwell.explain(id)).resolves.toMatchObject({
        steps: [{ waitsFor: { kind: "no_group", group: "gpu" } }, {}, {}],
      });
      await ledger.routes.put({ tenant: null, workflow: "render", topic: null, group: "default" });
      const gpu = new Harness(await reopen(), { operators: { work: at("gpu") }, groups: ["gpu"] });
      await gpu.stepwell.open();
      await gpu.event((event) => event.type === "run.suspended" && event.run.id === id);
      await plain.stepwell.signal(id, "go");
      expect((await plain.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(seen).toEqual(["gpu", "gpu"]);
      await ledger.routes.remove({ tenant: null, workflow: "render", topic: null });
      for (const { stepwell } of [plain, gpu]) await stepwell.stop();
      await ledger.close();
    });

    test("S1-39 a step with a topic is done by a worker of its group; the others need not be", async () => {
      const reopen = await open();
      const seen: string[] = [];
      const at =
        (name: string): Operator =>
        (input) =>
          void seen.push(`${JSON.stringify(input)} at ${name}`);
      const plain = new Harness(await reopen(), { operators: { work: at("plain") }, groups: ["default"] });
      await plain.stepwell.register({
        name: "mixed",
        steps: [
          { id: "fetch", uses: "work", with: "fetch" },
          { id: "draw", uses: "work", topic: "gpu", with: "draw" },
        ],
      });
      const id = await plain.stepwell.start("mixed");
      await plain.event((event) => event.type === "run.suspended" && event.run.id === id);
      await expect(plain.stepwell.explain(id)).resolves.toMatchObject({
        steps: [{ step: "draw", says: 'waits for a worker that serves the group "gpu"' }],
      });
      const gpu = new Harness(await reopen(), { operators: { work: at("gpu") }, groups: ["gpu"] });
      await gpu.stepwell.open();
      expect((await plain.stepwell.result(id)).status).toBe("SUCCEEDED");
      expect(seen).toEqual(['"fetch" at plain', '"draw" at gpu']);
      for (const { stepwell } of [plain, gpu]) await stepwell.stop();
    });

    test("limits hold over several engines, and a slot that one of them frees is another's", async () => {
      const reopen = await open();
      let atWork = 0;
      let most = 0;
      const both = Promise.withResolvers<void>();
      const work: Operator = async () => {
        most = Math.max(most, ++atWork);
        // until two have met: steps that take no time may follow each other by chance
        if (atWork === 2) both.resolve();
        await both.promise;
        await new Promise((resolve) => setImmediate(resolve));
        atWork -= 1;
      };
      const engines = [new Harness(await reopen(), { operators: { work } }), new Harness(await reopen(), { operators: { work } })];
      for (const { stepwell } of engines) await stepwell.register({ ...two, concurrency: 2 });
      const ids = await Promise.all(engines.flatMap(({ stepwell }) => Array.from({ length: 20 }, () => stepwell.start("two"))));
      for (const id of ids) expect((await engines[0]?.stepwell.result(id))?.status).toBe("SUCCEEDED");
      expect(most).toBe(2);
      for (const { stepwell } of engines) await stepwell.stop();
    });

    test("S0-13 S0+14 an engine that is added takes what the first has no room for, and one that is stopped is not missed", async () => {
      const reopen = await open();
      const client = await reopen();
      const gates = [new Gate(), new Gate()];
      const engines: Harness[] = [];
      for (const gate of gates) {
        const engine = new Harness(await reopen(), { operators: { work: gate.operator }, concurrency: { runs: 1 } });
        engines.push(engine);
        await engine.stepwell.register(two);
        await enqueue(client, "two", `run-${engines.length}`);
        await gate.arrivals(1);
      }
      const [first, second] = engines;
      await enqueue(client, "two", "run-3");
      gates[0]?.open();
      await first?.stepwell.result("run-1");
      await first?.stepwell.stop();
      gates[1]?.open();
      for (const id of ["run-2", "run-3"]) expect((await second?.stepwell.result(id))?.status).toBe("SUCCEEDED");
      await second?.stepwell.stop();
      await client.close();
    });

    test("S0-11 S3-52 an engine that never saw the workflow or its caller drives a run on from the ledger alone, and writes its rows there", async () => {
      const reopen = await open();
      const gate = new Gate();
      const first = new Harness(await reopen(), { operators: { work: gate.operator, late: () => "too early" } });
      await first.stepwell.register({
        name: "two",
        steps: [
          { uses: "work", with: "{{ input.n }}" },
          { uses: "late", with: "{{ input.n + 1 }}" },
        ],
      });
      const id = await first.stepwell.start("two", { n: 4 }, { labels: { team: "blue" } });
      await gate.arrivals(1);
      const stopped = first.stepwell.stop();
      gate.open();
      await stopped;
      const late: Operator = (input, { run }) => ({ input, labels: run.labels });
      const ledger = await reopen();
      const second = new Harness(ledger, { operators: { work: () => "again", late } });
      expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
      const steps = await ledger.listSteps(TENANT, id);
      expect(steps.map(({ status, output }) => [status, output])).toEqual([
        ["SUCCEEDED", "4"],
        ["SUCCEEDED", '{"input":5,"labels":{"team":"blue"}}'],
      ]);
      await second.stepwell.stop();
    });

    test("P7 P8 what one engine is told about a run of another reaches it: a signal, a pause, a cancel", async () => {
      const reopen = await open();
      const gate = new Gate();
      const owner = new Harness(await reopen(), { operators: { work: gate.operator } });
      const other = new Harness(await reopen(), { operators: { work: () => "not mine" } });
      await other.stepwell.open();
      const id = await owner.start({
        name: "told",
        steps: {
          ask: { uses: "wait", with: { signal: "go" } },
          busy: { uses: "work" },
          after: { uses: "transform", needs: ["ask"], with: 1 },
        },
      });
      await gate.arrivals(1);
      await other.stepwell.signal(id, "go", "now");
      await owner.event((event) => event.type === "step.settled" && event.step === "after");
      await other.stepwell.cancel(id);
      gate.open();
      expect((await other.stepwell.result(id)).status).toBe("CANCELLED");
      expect((await owner.stepwell.result(id)).status).toBe("CANCELLED");
      await owner.stepwell.stop();
      await other.stepwell.stop();
    });

    test("who waits for a run that ends elsewhere and is removed before the next look is told that it is gone", async () => {
      const reopen = await open();
      const client = await reopen();
      const [working, looked, removed] = [new Gate(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const driver = new Harness(await reopen(), { operators: { work: working.operator } });
      const id = await driver.start(two);
      const watched = await reopen();
      const waiter = new Harness(
        interposed(watched, {
          getRun: async (...asked) => {
            const run = await watched.getRun(...asked);
            looked.resolve();
            return run;
          },
          findEnds: async (...asked) => {
            await removed.promise;
            return watched.findEnds(...asked);
          },
        }),
        { groups: ["other"] },
      );
      const told = waiter.stepwell.result(id).then(
        () => "an outcome",
        (error: unknown) => error,
      );
      await looked.promise;
      working.open();
      await driver.stepwell.result(id);
      const query = { tenant: TENANT, policy: { runs: new Map([["SUCCEEDED", 0]] as const), workflows: new Map() } };
      const { runs } = await client.retention.find(query, 0, 9);
      await client.retention.removeFamilies(
        query,
        runs.map((run) => run.id),
        9,
      );
      removed.resolve();
      await expect(told).resolves.toMatchObject({ code: "RUN_NOT_FOUND", message: expect.stringContaining(id) });
      for (const { stepwell } of [driver, waiter]) await stepwell.stop();
      await client.close();
    });

    test("P10 a run that one engine parked is woken by time in whichever engine is there", async () => {
      const reopen = await open();
      const first = new Harness(await reopen(), {});
      const second = new Harness(await reopen(), {});
      await second.stepwell.open();
      const id = await first.start({ name: "nap", steps: [{ uses: "sleep", with: { for: "1500ms" } }] });
      await first.event((event) => event.type === "run.suspended");
      await first.stepwell.stop();
      const ended = await second.stepwell.result(id);
      expect(ended.status).toBe("SUCCEEDED");
      const run = await second.stepwell.get(id);
      const [step] = run?.steps ?? [];
      expect(Date.parse(step?.finishedAt ?? "") - Date.parse(step?.startedAt ?? "")).toBeGreaterThanOrEqual(1_500);
      await second.stepwell.stop();
    });
  });
}
