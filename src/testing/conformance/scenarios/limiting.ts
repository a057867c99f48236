import { describe, expect, test } from "vitest";
import type { Operator } from "../../../operators/operator.ts";
import { Gate, Harness, type OpenLedger } from "../../harness.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Counts how many of its calls are at work at once, by the key in the input; each ends when it is let go. */
class Yard {
  readonly most = new Map<string, number>();
  readonly order: string[] = [];
  readonly #waiting: { readonly key: string; readonly go: () => void }[] = [];
  readonly #atWork = new Map<string, number>();
  readonly #watchers: (() => void)[] = [];

  readonly operator: Operator = async (input) => {
    const { key, name } = Object(input);
    const atWork = (this.#atWork.get(key) ?? 0) + 1;
    this.#atWork.set(key, atWork);
    this.most.set(key, Math.max(this.most.get(key) ?? 0, atWork));
    this.order.push(String(name));
    await new Promise<void>((resolve) => {
      this.#waiting.push({ key, go: resolve });
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
    this.#atWork.set(key, (this.#atWork.get(key) ?? 1) - 1);
  };

  get size(): number {
    return this.#waiting.length;
  }

  async arrivals(count: number): Promise<void> {
    while (this.#waiting.length < count) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** Lets the one go that has been there longest, once somebody is there. */
  async letGo(): Promise<void> {
    await this.arrivals(1);
    this.#waiting.shift()?.go();
  }
}

const PERSON = '{{ { "key": input.who, "name": input.name } }}';
const worksFor = (fields: object) => ({ name: "limited", ...fields, steps: { work: { uses: "work", with: PERSON } } });

/** Limits on what may be at work at once, in any queue and over all processes. */
export function describeLimiting(open: () => Promise<OpenLedger>): void {
  describe("limits", () => {
    test("S0-12 runs of a workflow wait for their turn, in their order, and no more are at work than it allows", async () => {
      const yard = new Yard();
      const harness = await Harness.on(open, { operators: { work: yard.operator } });
      await harness.stepwell.register(worksFor({ concurrency: 2 }));
      const names = ["a", "b", "c", "d", "e"];
      const ids: string[] = [];
      for (const name of names) ids.push(await harness.stepwell.start("limited", { who: "all", name }));
      // one after the other: two that have their turn together may begin either way round
      for (let left = names.length; left > 0; left--) {
        await yard.arrivals(Math.min(2, left));
        await yard.letGo();
      }
      for (const id of ids) expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED" });
      expect(yard.most.get("all")).toBe(2);
      const places = yard.order.map((name, index) => Math.abs(names.indexOf(name) - index));
      expect(places.every((off) => off <= 1)).toBe(true);
      await harness.stepwell.stop();
    });

    test("each value of a key counts for itself, and one that is full holds nobody else up", async () => {
      const yard = new Yard();
      const harness = await Harness.on(open, { operators: { work: yard.operator } });
      await harness.stepwell.register(worksFor({ concurrency: [{ limit: 1, key: "{{ input.who }}" }, { limit: 3 }] }));
      const ids: string[] = [];
      for (const who of ["ann", "ann", "ann", "bob", "cid", "dan"]) {
        ids.push(await harness.stepwell.start("limited", { who, name: `${who}${ids.length}` }));
      }
      await yard.arrivals(3);
      expect(yard.order.toSorted()).toEqual(["ann0", "bob3", "cid4"]);
      for (const _ of ids) await yard.letGo();
      for (const id of ids) expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED" });
      expect([...yard.most.values()]).toEqual([1, 1, 1, 1]);
      await harness.stepwell.stop();
    });

    test("a parked run leaves its slot, and waits for its turn before it goes on", async () => {
      const yard = new Yard();
      const harness = await Harness.on(open, { operators: { work: yard.operator } });
      const steps = { wait: { uses: "wait", with: { signal: "go" } }, work: { uses: "work", with: PERSON, needs: ["wait"] } };
      await harness.stepwell.register({ name: "limited", concurrency: 1, steps });
      const first = await harness.stepwell.start("limited", { who: "all", name: "first" });
      const second = await harness.stepwell.start("limited", { who: "all", name: "second" });
      for (const id of [first, second]) await harness.event((event) => event.type === "run.suspended" && event.run.id === id);
      await harness.stepwell.signal(second, "go");
      await yard.arrivals(1);
      await harness.stepwell.signal(first, "go");
      const isQueued = async (): Promise<boolean> => (await harness.stepwell.get(first))?.reason === "queued";
      while (!(await isQueued())) await new Promise((resolve) => setImmediate(resolve));
      expect(yard.order).toEqual(["second"]);
      await yard.letGo();
      await yard.letGo();
      for (const id of [first, second]) expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED" });
      expect(yard.most.get("all")).toBe(1);
      await harness.stepwell.stop();
    });

    test("`reject` ends a run that finds the limit full, before any step of it", async () => {
      const yard = new Yard();
      const harness = await Harness.on(open, { operators: { work: yard.operator } });
      await harness.stepwell.register(worksFor({ concurrency: [{ limit: 1, onLimit: "reject" }] }));
      const first = await harness.stepwell.start("limited", { who: "all", name: "first" });
      await yard.arrivals(1);
      const second = await harness.stepwell.start("limited", { who: "all", name: "second" });
      expect(await harness.stepwell.result(second)).toMatchObject({ status: "CANCELLED" });
      await yard.letGo();
      expect(await harness.stepwell.result(first)).toMatchObject({ status: "SUCCEEDED" });
      const third = await harness.stepwell.start("limited", { who: "all", name: "third" });
      await yard.letGo();
      expect(await harness.stepwell.result(third)).toMatchObject({ status: "SUCCEEDED" });
      expect(yard.order).toEqual(["first", "third"]);
      await harness.stepwell.stop();
    });

    test("`cancel-running` cancels the run that holds the slot, and takes it", async () => {
      const order: string[] = [];
      const gate = new Gate();
      const work: Operator = async (input, { signal }) => {
        const { name } = Object(input);
        order.push(name);
        if (name === "second") return;
        await Promise.race([gate.opened, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
      };
      const harness = await Harness.on(open, { operators: { work } });
      await harness.stepwell.register(worksFor({ singleton: { key: "{{ input.who }}", onConflict: "cancel-running" } }));
      const first = await harness.stepwell.start("limited", { who: "all", name: "first" });
      await harness.stepStarted("work");
      const second = await harness.stepwell.start("limited", { who: "all", name: "second" });
      expect(await harness.stepwell.result(first)).toMatchObject({ status: "CANCELLED" });
      expect(await harness.stepwell.result(second)).toMatchObject({ status: "SUCCEEDED" });
      expect(order).toEqual(["first", "second"]);
      await harness.stepwell.stop();
    });

    test("a run that has begun waits for a full limit that rejects others, and the one at work goes on", async () => {
      const yard = new Yard();
      const harness = await Harness.on(open, { operators: { work: yard.operator } });
      const steps = { wait: { uses: "wait", with: { signal: "go" } }, work: { uses: "work", with: PERSON, needs: ["wait"] } };
      await harness.stepwell.register({ name: "limited", concurrency: [{ limit: 1, onLimit: "reject" }], steps });
      const ids: string[] = [];
      for (const name of ["first", "second"]) {
        const id = await harness.stepwell.start("limited", { who: "all", name });
        await harness.event((event) => event.type === "run.suspended" && event.run.id === id);
        ids.push(id);
      }
      const [first = "", second = ""] = ids;
      await harness.stepwell.signal(first, "go");
      await yard.arrivals(1);
      await harness.stepwell.signal(second, "go");
      const isQueued = async (): Promise<boolean> => (await harness.stepwell.get(second))?.reason === "queued";
      while (!(await isQueued())) await new Promise((resolve) => setImmediate(resolve));
      await yard.letGo();
      await yard.letGo();
      for (const id of ids) expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED" });
      expect(yard.order).toEqual(["first", "second"]);
      await harness.stepwell.stop();
    });

    test("a singleton that waits keeps others out until it ends, and no longer", async () => {
      const harness = await Harness.on(open, {});
      await harness.stepwell.register({ name: "limited", singleton: true, steps: { wait: { uses: "wait", with: { signal: "go" } } } });
      const parked = async (): Promise<string> => {
        const id = await harness.stepwell.start("limited", {});
        await harness.event((event) => event.type === "run.suspended" && event.run.id === id);
        return id;
      };
      const first = await parked();
      const second = await harness.stepwell.start("limited", {});
      expect(await harness.stepwell.result(second)).toMatchObject({ status: "CANCELLED" });
      await harness.stepwell.signal(first, "go");
      expect(await harness.stepwell.result(first)).toMatchObject({ status: "SUCCEEDED" });
      const third = await parked();
      await harness.stepwell.signal(third, "go");
      expect(await harness.stepwell.result(third)).toMatchObject({ status: "SUCCEEDED" });
      await harness.stepwell.stop();
    });

    test("a queued run can be cancelled, paused and resumed", async () => {
      const yard = new Yard();
      const harness = await Harness.on(open, { operators: { work: yard.operator } });
      await harness.stepwell.register(worksFor({ concurrency: 1 }));
      const ids: string[] = [];
      for (const name of ["first", "second", "third", "fourth"]) ids.push(await harness.stepwell.start("limited", { who: "all", name }));
      const [first = "", second = "", third = "", fourth = ""] = ids;
      await yard.arrivals(1);
      await harness.stepwell.cancel(second);
      expect(await harness.stepwell.result(second)).toMatchObject({ status: "CANCELLED" });
      await harness.stepwell.pause(third);
      await yard.letGo();
      await yard.letGo();
      expect(await harness.stepwell.result(fourth)).toMatchObject({ status: "SUCCEEDED" });
      await harness.stepwell.resume(third);
      await yard.letGo();
      for (const id of [first, third]) expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED" });
      expect(yard.order).toEqual(["first", "fourth", "third"]);
      await harness.stepwell.stop();
    });

    test("S0-12 P9 starts that are collected for a run are collected as long when somebody pauses and resumes it", async () => {
      const harness = await Harness.on(open, {});
      const { stepwell } = harness;
      await stepwell.register({ name: "late", debounce: { key: "all", delay: "1h" }, steps: [{ uses: "transform", with: 1 }] });
      const id = await stepwell.start("late");
      const waits = async () => (await stepwell.explain(id)).steps[0]?.waitsFor;
      const before = await waits();
      expect(before).toMatchObject({ kind: "turn", until: expect.any(String) });
      await stepwell.pause(id);
      while ((await waits())?.kind !== "paused") await nextTurn();
      await stepwell.resume(id);
      while ((await waits())?.kind === "paused") await nextTurn();
      await harness.run({ name: "other", concurrency: 1, steps: [{ uses: "transform", with: 1 }] });
      expect(await waits()).toEqual(before);
      await stepwell.stop();
    });

    test("P17 an engine that comes after another goes on with the slots, the queue and the limits as they are", async () => {
      const reopen = await open();
      const yard = new Yard();
      const before = new Harness(await reopen(), { operators: { work: yard.operator }, stopGraceMs: 0 });
      await before.stepwell.register(worksFor({ concurrency: 1 }));
      const ids: string[] = [];
      for (const name of ["first", "second", "third"]) ids.push(await before.stepwell.start("limited", { who: "all", name }));
      await yard.arrivals(1);
      await before.stepwell.stop();
      const again = new Yard();
      const after = new Harness(await reopen(), { operators: { work: again.operator } });
      const results = ids.map((id) => after.stepwell.result(id));
      for (const _ of ids) await again.letGo();
      for (const result of await Promise.all(results)) expect(result).toMatchObject({ status: "SUCCEEDED" });
      expect(again.order).toEqual(["first", "second", "third"]);
      expect(again.most.get("all")).toBe(1);
      await after.stepwell.stop();
    });
  });
}
