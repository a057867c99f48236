import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import type { Ledger } from "../ledger/port.ts";
import { openLedger } from "../ledger/url.ts";
import { Stepwell } from "../main/stepwell.ts";
import type { ErrorCode } from "../model/error-codes.ts";
import { StepwellError } from "../model/errors.ts";
import type { Operator } from "../operators/operator.ts";
import { aQueuedRun } from "../testing/conformance/ledger/builders.ts";
import { Gate, Harness, interposed, survivingMemory } from "../testing/harness.ts";
import { systemClock } from "./system-clock.ts";

const fault = (code: ErrorCode): StepwellError => new StepwellError(code, `the ledger says ${code}`);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const turns = async (count: number): Promise<void> => {
  for (let passed = 0; passed < count; passed++) await turn();
};
const late = <T>(value: T): Promise<T> => new Promise((resolve) => void systemClock.setTimer(2_000, () => resolve(value)));
const one = { name: "one", steps: { a: { uses: "work", with: { n: 1 } } }, output: "{{ steps.a.output }}" };

/** A memory ledger whose commits fail with `code` while one is set. */
function failing(): { readonly ledger: Ledger; code: ErrorCode | undefined } {
  const memory = openMemoryLedger();
  const state: { readonly ledger: Ledger; code: ErrorCode | undefined } = {
    code: undefined,
    ledger: interposed(memory, {
      commit: async (batch) => {
        if (state.code !== undefined) throw fault(state.code);
        return memory.commit(batch);
      },
    }),
  };
  return state;
}

describe("a ledger that fails under the engine", () => {
  test.each(["LEDGER_FULL", "LEDGER_BUSY"] as const)(
    "%s: new runs are refused with the code, running ones go on when it has passed",
    async (code) => {
      const state = failing();
      const gate = new Gate();
      const harness = new Harness(state.ledger, { operators: { work: gate.operator } });
      const id = await harness.start(one);
      await gate.arrivals(1);
      state.code = code;
      await expect(harness.stepwell.start("one")).rejects.toMatchObject({ code });
      gate.open();
      await harness.event((event) => event.type === "ledger.stalled" && event.error.code === code);
      state.code = undefined;
      expect((await harness.stepwell.result(id)).output).toEqual({ n: 1 });
      expect((await harness.stepwell.list()).runs).toHaveLength(1);
      await harness.stepwell.stop();
    },
  );

  test("S0-14 LEDGER_IO: the engine stops, every caller hears why, and the next engine finds the run as it was committed", async () => {
    const reopen = survivingMemory();
    const ledger = await reopen();
    const gate = new Gate();
    let isBroken = false;
    const breaking = interposed(ledger, {
      commit: async (batch) => {
        if (isBroken) throw fault("LEDGER_IO");
        return ledger.commit(batch);
      },
    });
    const first = new Harness(breaking, { operators: { work: gate.operator } });
    const id = await first.start(one);
    await gate.arrivals(1);
    const waiting = expect(first.stepwell.result(id)).rejects.toMatchObject({ code: "LEDGER_IO" });
    isBroken = true;
    gate.open();
    await waiting;
    await expect(first.stepwell.start("one")).rejects.toMatchObject({ code: "LEDGER_IO" });
    await expect(first.stepwell.cancel(id)).rejects.toMatchObject({ code: "LEDGER_IO" });
    expect(first.events.filter(({ type }) => type === "ledger.failed")).toHaveLength(1);
    expect(first.events.filter(({ type }) => type === "step.settled")).toEqual([]);
    await first.stepwell.stop();
    const second = new Harness(await reopen(), { operators: { work: (input) => input } });
    expect((await second.stepwell.result(id)).output).toEqual({ n: 1 });
    await second.stepwell.stop();
  });

  test("a start that is under way when the engine fails is refused, not forgotten", async () => {
    const memory = openMemoryLedger();
    const gate = new Gate();
    const reserving = new Gate();
    let isBroken = false;
    let reservations = 0;
    const ledger = interposed(memory, {
      commit: async (batch) => {
        if (isBroken) throw fault("LEDGER_IO");
        return memory.commit(batch);
      },
      reserveRunIds: async () => {
        reservations += 1;
        if (reservations > 1) await reserving.opened;
        return memory.reserveRunIds(1);
      },
    });
    const harness = new Harness(ledger, { operators: { work: gate.operator } });
    await harness.start(one);
    await gate.arrivals(1);
    const starts = Array.from({ length: 1_000 }, () => harness.stepwell.start("one").catch((error: unknown) => error));
    isBroken = true;
    gate.open();
    await harness.event((event) => event.type === "ledger.failed");
    reserving.open();
    const last = await Promise.race([starts.at(-1), late("it still waits")]);
    expect(last).toMatchObject({ code: expect.stringMatching(/^(LEDGER_IO|ENGINE_STOPPED)$/) });
    await harness.stepwell.stop();
  });

  test("a row that the ledger refuses breaks its run alone", async () => {
    const memory = openMemoryLedger();
    const gate = new Gate();
    let victim = "";
    const ids = new Map<number, string>();
    const ledger = interposed(memory, {
      commit: async (batch) => {
        for (const { writes } of batch.units)
          for (const write of writes) if (write.write === "insertRun") ids.set(write.runId, write.publicId);
        if (batch.units.some(({ runId }) => victim !== "" && ids.get(runId) === victim)) throw fault("LEDGER_CONFLICT");
        return memory.commit(batch);
      },
    });
    const harness = new Harness(ledger, { operators: { work: gate.operator } });
    await harness.stepwell.register(one);
    const runs = await Promise.all(Array.from({ length: 20 }, () => harness.stepwell.start("one")));
    await gate.arrivals(20);
    victim = runs[7] ?? "";
    const outcomes = Promise.allSettled(runs.map((id) => harness.stepwell.result(id)));
    gate.open();
    const ends = (await outcomes).map((outcome) => (outcome.status === "fulfilled" ? outcome.value.status : outcome.reason.code));
    expect(ends).toEqual(runs.map((id) => (id === victim ? "LEDGER_CONFLICT" : "SUCCEEDED")));
    expect(harness.events.flatMap((event) => (event.type === "run.broken" ? [event.runId] : []))).toEqual([victim]);
    const asked = harness.stepwell.result(victim).catch((error: unknown) => error);
    expect(await Promise.race([asked, late("it still waits")])).toMatchObject({ code: "LEDGER_CONFLICT" });
    await harness.stepwell.stop();
  });

  test("a read that fails while somebody asks for a result disturbs nobody later", async () => {
    const memory = openMemoryLedger();
    let isBroken = true;
    const ledger = interposed(memory, {
      getRun: async (tenant, publicId) => {
        if (isBroken) throw fault("LEDGER_CORRUPT");
        return memory.getRun(tenant, publicId);
      },
    });
    const harness = new Harness(ledger);
    await expect(harness.stepwell.result("some-run")).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
    isBroken = false;
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    await harness.stepwell.stop();
    await turns(3);
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  test("whoever stops an engine that is stopping waits for the same end", async () => {
    const memory = openMemoryLedger();
    const gate = new Gate();
    let isClosed = false;
    const ledger = interposed(memory, {
      close: async () => {
        await turns(3);
        isClosed = true;
      },
    });
    const harness = new Harness(ledger, { operators: { work: gate.operator } });
    await harness.start(one);
    await gate.arrivals(1);
    const first = harness.stepwell.stop();
    const second = harness.stepwell.stop().then(() => isClosed);
    gate.open();
    expect(await second).toBe(true);
    await first;
    await expect(harness.stepwell.start("one")).rejects.toMatchObject({ code: "ENGINE_STOPPED" });
  });

  test("S1-41 a run whose input was damaged is reported, and the others that the same engine left go on", async () => {
    const directory = await mkdtemp(join(tmpdir(), "stepwell-"));
    const file = join(directory, "ledger.db");
    const ledger = await openLedger(file);
    const gate = new Gate();
    const first = new Harness(ledger, { operators: { work: gate.operator } });
    await first.stepwell.register(one);
    const [sound, hurt, last] = [await first.stepwell.start("one"), await first.stepwell.start("one"), await first.stepwell.start("one")];
    await gate.arrivals(3);
    await ledger.close();
    const db = new DatabaseSync(file);
    db.prepare("UPDATE run SET input = '[]' WHERE public_id = ?").run(hurt);
    db.close();
    const second = new Harness(await openLedger(file), { operators: { work: (input) => input } });
    for (const id of [sound, last]) expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
    const broken = second.events.flatMap((event) => (event.type === "run.broken" ? [event.error] : []));
    expect(broken).toMatchObject([{ code: "LEDGER_CORRUPT", data: { run: hurt, column: "input" } }]);
    await expect(second.stepwell.result(hurt)).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
    await second.stepwell.stop();
    await rm(directory, { recursive: true });
  });

  test("a ledger that could not be opened is tried again by the next call", async () => {
    const directory = await mkdtemp(join(tmpdir(), "stepwell-"));
    const file = join(directory, "ledger.db");
    await writeFile(file, "this is no database, and long enough to be looked at as one".repeat(20));
    const stepwell = new Stepwell({ ledger: file });
    await expect(stepwell.open()).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
    await rm(file);
    await stepwell.open();
    await stepwell.stop();
    await rm(directory, { recursive: true });
  });
});

describe("a ledger that several engines share", () => {
  test("P5 what is sent to a run between its parking and the answer to that commit is not lost", async () => {
    const memory = openMemoryLedger();
    const leftBehind: number[] = [];
    const claimed = Promise.withResolvers<void>();
    const ledger = interposed(memory, {
      isShared: true,
      changedElsewhere: async () => true,
      claims: {
        admit: (epoch, limit) => memory.claims.admit(epoch, limit),
        runs: async (pickup) => {
          const given = pickup === "left_behind" ? leftBehind.splice(0) : [];
          if (given.length > 0) claimed.resolve();
          return given;
        },
        due: async () => [],
        one: async () => true,
        sent: async () => [],
      },
      commit: async (batch) => {
        const outcome = await memory.commit(batch);
        const parked = batch.units.find(({ writes }) => writes.some((write) => write.write === "suspendRun" && write.ownerEpoch === null));
        const run = (await memory.listRuns({ tenant: "default", limit: 1 })).runs[0];
        if (parked === undefined || run?.inboxSeq !== 0) return outcome;
        await memory.accept({ tenant: "default", publicId: run.publicId, kind: "signal", name: "go", payload: 1, actor: "other" });
        leftBehind.push(run.id);
        await claimed.promise;
        await turns(5);
        return outcome;
      },
    });
    const harness = new Harness(ledger);
    const id = await harness.start({ name: "waits", steps: { go: { uses: "wait", with: { signal: "go" } } } });
    expect(await Promise.race([harness.stepwell.result(id), late("it still waits")])).toMatchObject({ status: "SUCCEEDED" });
    await harness.stepwell.stop();
  });
});

describe("runs that wait for their turn", () => {
  test("S1-20 a claimed run that waits for a free slot costs nothing: the queue is not asked again and again", async () => {
    const memory = openMemoryLedger();
    let asked = 0;
    const ledger = interposed(memory, {
      claims: {
        admit: (epoch, limit) => {
          asked += 1;
          return memory.claims.admit(epoch, limit);
        },
        runs: (pickup, afterId, limit) => memory.claims.runs(pickup, afterId, limit),
        due: (after, limit) => memory.claims.due(after, limit),
        one: (runId) => memory.claims.one(runId),
        sent: (afterId, limit) => memory.claims.sent(afterId, limit),
      },
    });
    const gates = [new Gate(), new Gate(), new Gate(), new Gate()];
    const work: Operator = (input, context) => gates[Number(input)]?.operator(input, context);
    const harness = new Harness(ledger, { operators: { work }, concurrency: { runs: 3, steps: 1 } });
    await harness.stepwell.register({ name: "turns", steps: { a: { uses: "work", with: "{{ input.turn }}" } } });
    const ids: string[] = [];
    for (let index = 0; index < 4; index++) ids.push(await harness.stepwell.start("turns", { turn: index }));
    for (const gate of gates.slice(0, 2)) {
      await gate.arrivals(1);
      gate.open();
    }
    await harness.stepwell.result(ids[1] ?? "");
    await turns(5);
    asked = 0;
    await turns(50);
    expect(asked).toBeLessThan(5);
    for (const gate of gates) gate.open();
    for (const id of ids) expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
    await harness.stepwell.stop();
  });

  test("a QUEUED run whose definition cannot be read is reported once and does not keep the engine from opening", async () => {
    const memory = openMemoryLedger();
    const version = await memory.putVersion({
      tenant: "default",
      workflow: "strange",
      version: null,
      hash: "0".repeat(64),
      definition: '{"name":"strange","steps":{"a":{"uses":"transform","an unknown field":1}}}',
      steps: [{ ordinal: 0, path: "a", uses: "transform" }],
    });
    const publicId = "00000000-0000-7000-8000-000000000001";
    await memory.enqueueRun(aQueuedRun(version.id, publicId, { input: "{}" }));
    const harness = new Harness(memory);
    const opened = harness.stepwell.open().then(() => "open");
    expect(await Promise.race([opened, late("it still opens")])).toBe("open");
    expect(harness.events.flatMap((event) => (event.type === "run.broken" ? [event.runId] : []))).toEqual([publicId]);
    const asked = harness.stepwell.result(publicId).catch((error: unknown) => error);
    expect(await Promise.race([asked, late("it still waits")])).toMatchObject({ code: "DEFINITION_INVALID" });
    await harness.stepwell.stop();
  });

  test("S1-20 a recovered run that holds more slots than there are does not make others wait for ever", async () => {
    const reopen = survivingMemory();
    const ledger = await reopen();
    const gate = new Gate();
    const first = new Harness(ledger, { operators: { work: gate.operator } });
    const wide = { name: "wide", steps: { a: { uses: "work" }, b: { uses: "work" }, c: { uses: "work" } } };
    const id = await first.start(wide);
    await gate.arrivals(3);
    await ledger.close();
    const again = new Gate();
    const second = new Harness(await reopen(), { operators: { work: again.operator }, concurrency: { steps: 1 } });
    await second.stepwell.open();
    await again.arrivals(3);
    const waiting = await second.stepwell.start("wide");
    again.open();
    expect((await second.stepwell.result(id)).status).toBe("SUCCEEDED");
    const outcome = await Promise.race([second.stepwell.result(waiting).then(({ status }) => status), late("it still waits")]);
    expect(outcome).toBe("SUCCEEDED");
    await second.stepwell.stop();
  });

  test("an outcome that arrives while a cancelled run is read back gives its slot back once", async () => {
    const memory = openMemoryLedger();
    const gate = new Gate();
    const loading = new Gate();
    let isGated = false;
    let arrived = false;
    const ledger = interposed(memory, {
      loadRun: async (runId) => {
        if (isGated) {
          arrived = true;
          await loading.opened;
        }
        return memory.loadRun(runId);
      },
    });
    const harness = new Harness(ledger, { operators: { work: gate.operator, quick: () => 1 }, concurrency: { steps: 2 } });
    const id = await harness.start({
      name: "pair",
      steps: [
        { id: "a", uses: "quick" },
        { id: "b", uses: "work" },
      ],
    });
    await gate.arrivals(1);
    isGated = true;
    await memory.accept({ tenant: "default", publicId: id, kind: "cancel", payload: null, actor: "first" });
    await harness.stepwell.cancel(id, "second");
    expect(arrived).toBe(true);
    gate.open();
    await turns(3);
    loading.open();
    await harness.stepwell.result(id);
    isGated = false;
    const holding = new Gate();
    await harness.stepwell.register({
      definition: { name: "two", steps: { a: { uses: "hold" }, b: { uses: "hold" } } },
      operators: { hold: holding.operator },
    });
    const next = await harness.stepwell.start("two");
    expect(await Promise.race([holding.arrivals(2).then(() => "both"), late("one slot is lost")])).toBe("both");
    holding.open();
    await harness.stepwell.result(next);
    await harness.stepwell.stop();
  });
});
