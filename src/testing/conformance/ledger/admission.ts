import { describe, expect, test } from "vitest";
import { asks } from "../../../ledger/queued-run.ts";
import { SLOTS } from "../../../ledger/rows.ts";
import type { Gather, Limiter } from "../../../model/admission.ts";
import { LIMITS } from "../../../model/limits.ts";
import { aQueuedRun, aVersion, endRun, insertRun, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, runOf } from "./kit.ts";

interface Asked {
  readonly tenant?: string;
  readonly limiters?: readonly Limiter[];
  readonly priorityMs?: number;
  readonly gather?: Gather | null;
  readonly input?: string;
}

const one = (id: string, change: Partial<Limiter> = {}): Limiter => ({
  id,
  limit: 1,
  periodMs: null,
  onLimit: "queue",
  holds: "activity",
  ...change,
});
const versions = new WeakMap<LedgerCase, Map<string, number>>();

async function versionOf(fixture: LedgerCase, tenant: string): Promise<number> {
  const known = versions.get(fixture) ?? new Map([[TENANT, fixture.version.id]]);
  versions.set(fixture, known);
  const version = known.get(tenant) ?? (await fixture.ledger.putVersion(aVersion({ tenant }))).id;
  known.set(tenant, version);
  return version;
}

/** Stores a run that asks for its turn; what it is called is its public id. */
async function ask(
  fixture: LedgerCase,
  publicId: string,
  { tenant = TENANT, limiters = [], priorityMs = 0, gather = null, input }: Asked = {},
) {
  const admission = JSON.stringify({ priorityMs, limiters, gather });
  const run = aQueuedRun(await versionOf(fixture, tenant), publicId, { tenant, admission, ...(input !== undefined && { input }) });
  return fixture.ledger.enqueueRun(run);
}

/** The public ids of the runs that are admitted, in order. */
async function admitted(fixture: LedgerCase, limit = 200): Promise<readonly string[]> {
  const { runs } = await fixture.ledger.claims.admit(fixture.owner.epoch, limit);
  const names: string[] = [];
  for (const runId of runs) names.push((await fixture.ledger.loadRun(runId))?.run.publicId ?? "");
  return names;
}

async function end(fixture: LedgerCase, publicId: string, tenant = TENANT): Promise<void> {
  const runId = (await fixture.ledger.getRun(tenant, publicId))?.id ?? 0;
  const start = {
    write: "startRun",
    runId,
    reason: null,
    ownerEpoch: fixture.owner.epoch,
    crashes: 0,
    deadlineInMs: null,
    revision: 2,
  } as const;
  const note = { write: "insertNote", runId, note: "ended", dueInMs: 0 } as const;
  await commit(fixture, unit(runId, [start, endRun(runId, { status: "CANCELLED", output: null, revision: 3 }), note], null));
}

/** It has begun, waits, and asks for its turn again at once. */
async function park(fixture: LedgerCase, runId: number): Promise<void> {
  const start = {
    ...({ write: "startRun", runId, reason: null, ownerEpoch: fixture.owner.epoch } as const),
    ...{ crashes: 0, deadlineInMs: null, revision: 2 },
  };
  const suspend = {
    ...({ write: "suspendRun", runId, reason: "queued", ownerEpoch: null } as const),
    ...{ crashes: 0, slots: SLOTS.asked, revision: 3 },
  };
  const parked = { write: "insertNote", runId, note: "parked", dueInMs: 0 } as const;
  await commit(fixture, unit(runId, [start, suspend, parked, asks(runId)], null));
}

async function endBegun(fixture: LedgerCase, runId: number): Promise<void> {
  const ended = { write: "insertNote", runId, note: "ended", dueInMs: 0 } as const;
  await commit(fixture, unit(runId, [endRun(runId, { status: "CANCELLED", output: null, revision: 4 }), ended], null));
}

/** Who is given runs, in which order, and under which limits. */
export function describeAdmission(make: MakeLedger): void {
  describe("admission", () => {
    const get = eachCase(make);

    test("runs are given in the order in which they were stored, each once, and as many as there is room for", async () => {
      const fixture = get();
      const names = Array.from({ length: 12 }, (_, index) => `run-${index + 100}`);
      for (const name of names) await fixture.ledger.enqueueRun(aQueuedRun(fixture.version.id, name));
      expect(await admitted(fixture, 5)).toEqual(names.slice(0, 5));
      expect(await admitted(fixture)).toEqual(names.slice(5));
      expect(await admitted(fixture)).toEqual([]);
    });

    test("a priority lets a run go before those that came up to so much earlier, and no further", async () => {
      const fixture = get();
      await ask(fixture, "first");
      fixture.clock.time += 60_000;
      await ask(fixture, "second");
      fixture.clock.time += 60_000;
      await ask(fixture, "urgent", { priorityMs: 90_000 });
      await ask(fixture, "lazy", { priorityMs: -90_000 });
      fixture.clock.time += 60_000;
      await ask(fixture, "last");
      expect(await admitted(fixture)).toEqual(["first", "urgent", "second", "last", "lazy"]);
    });

    test("P20 tenants take turns, by their weights, whatever one of them has waiting, and nobody saves up turns", async () => {
      const fixture = get();
      await fixture.ledger.shares.put({ tenant: "big", weight: 3, most: null });
      for (let index = 0; index < 40; index++) await ask(fixture, `big-${index}`, { tenant: "big" });
      for (let index = 0; index < 10; index++) await ask(fixture, `small-${index}`, { tenant: "small" });
      const count = (names: readonly string[], prefix: string) => names.filter((name) => name.startsWith(prefix)).length;
      const first = await admitted(fixture, 20);
      expect([count(first, "big"), count(first, "small")]).toEqual([15, 5]);
      await ask(fixture, "late-0", { tenant: "late" });
      await ask(fixture, "late-1", { tenant: "late" });
      const next = await admitted(fixture, 4);
      expect([count(next, "big"), count(next, "small"), count(next, "late")]).toEqual([2, 1, 1]);
    });

    test("P20 a tenant holds no more slots than it may, in all of its workflows", async () => {
      const fixture = get();
      await fixture.ledger.shares.put({ tenant: "acme", weight: 1, most: 2 });
      for (const name of ["a", "b", "c"]) await ask(fixture, name, { tenant: "acme" });
      await ask(fixture, "other");
      expect((await admitted(fixture)).toSorted()).toEqual(["a", "b", "other"]);
      await end(fixture, "a", "acme");
      expect(await admitted(fixture)).toEqual(["c"]);
    });

    test("a run that asks anew after its tenant's bound has changed is given once, and takes one slot", async () => {
      const fixture = get();
      const { ledger } = fixture;
      const limiters = [one("pool", { limit: 2 })];
      for (const name of ["first", "second", "twice"]) await ask(fixture, name, { limiters });
      expect(await admitted(fixture)).toEqual(["first", "second"]);
      const runId = (await ledger.getRun(TENANT, "twice"))?.id ?? 0;
      await commit(fixture, unit(runId, [{ write: "pauseRun", runId, pausedBy: "ann", revision: 2 }], null));
      await ledger.shares.put({ tenant: TENANT, weight: 1, most: 9 });
      const resumed = { write: "pauseRun", runId, pausedBy: null, revision: 3 } as const;
      await commit(fixture, unit(runId, [resumed, { write: "requeueRun", runId }, asks(runId)], null));
      for (const name of ["first", "second"]) await end(fixture, name);
      expect(await admitted(fixture)).toEqual(["twice"]);
      for (const name of ["third", "fourth"]) await ask(fixture, name, { limiters });
      expect(await admitted(fixture)).toEqual(["third"]);
    });

    test("a run needs a slot of each of its limits, and waits behind the one that is full without holding up the others", async () => {
      const fixture = get();
      const [ann, bob, all] = [one("ann"), one("bob"), one("all", { limit: 2 })];
      await ask(fixture, "ann-1", { limiters: [ann, all] });
      await ask(fixture, "ann-2", { limiters: [ann, all] });
      await ask(fixture, "bob-1", { limiters: [bob, all] });
      await ask(fixture, "bob-2", { limiters: [bob, all] });
      await ask(fixture, "free");
      expect((await admitted(fixture)).toSorted()).toEqual(["ann-1", "bob-1", "free"]);
      expect(await admitted(fixture)).toEqual([]);
      await end(fixture, "bob-1");
      expect(await admitted(fixture)).toEqual(["bob-2"]);
      await end(fixture, "ann-1");
      expect(await admitted(fixture)).toEqual(["ann-2"]);
    });

    test("who waits behind one limit alone is called when another partition frees it", async () => {
      const fixture = get();
      const all = one("all");
      const names = Array.from({ length: 30 }, (_, index) => `run-${index + 100}`);
      for (const [index, name] of names.entries()) await ask(fixture, name, { limiters: [one(`key-${index}`), all] });
      const order: string[] = [];
      for (const _ of names) {
        const [name = "", ...others] = await admitted(fixture);
        expect(others).toEqual([]);
        order.push(name);
        await end(fixture, name);
      }
      expect(order).toEqual(names);
    });

    test("a newer version says anew what a limit allows", async () => {
      const fixture = get();
      for (const name of ["a", "b", "c"]) await ask(fixture, name, { limiters: [one("all")] });
      expect(await admitted(fixture)).toEqual(["a"]);
      const newer = (await fixture.ledger.putVersion(aVersion({ hash: "newer" }))).id;
      const admission = JSON.stringify({ priorityMs: 0, limiters: [one("all", { limit: 3 })], gather: null });
      await fixture.ledger.enqueueRun(aQueuedRun(newer, "d", { admission }));
      expect(await admitted(fixture)).toEqual(["b", "c"]);
    });

    test("a rate admits so many at once, then one after the other as its period passes, and the ledger says when", async () => {
      const fixture = get();
      const rate = one("rate", { limit: 3, periodMs: 3_000 });
      for (const name of ["a", "b", "c", "d", "e"]) await ask(fixture, name, { limiters: [rate] });
      expect(await admitted(fixture)).toEqual(["a", "b", "c"]);
      const { runs, nextAt } = await fixture.ledger.claims.admit(fixture.owner.epoch, 9);
      expect([runs, nextAt]).toEqual([[], fixture.clock.time + 1_000]);
      await expect(fixture.ledger.waits.turnOf(TENANT, "d")).resolves.toMatchObject({
        ahead: 0,
        limiter: { name: "rate", limitedTo: 3, periodMs: 3_000, openAt: fixture.clock.time + 1_000 },
      });
      fixture.clock.time += 999;
      expect(await admitted(fixture)).toEqual([]);
      fixture.clock.time += 1;
      expect(await admitted(fixture)).toEqual(["d"]);
      fixture.clock.time += 5_000;
      for (const name of ["f", "g", "h"]) await ask(fixture, name, { limiters: [rate] });
      expect(await admitted(fixture)).toEqual(["e", "f", "g"]);
    });

    test("a debounced start replaces the input of the one before it, and puts its turn off, but not for ever", async () => {
      const fixture = get();
      const gather = { id: "doc", mode: "replace", delayMs: 10_000, maxDelayMs: 25_000, maxItems: null } as const;
      await expect(ask(fixture, "first", { gather, input: "1" })).resolves.toEqual({ publicId: "first", created: true });
      for (const input of ["2", "3", "4"]) {
        fixture.clock.time += 8_000;
        expect(await admitted(fixture)).toEqual([]);
        await expect(ask(fixture, `again-${input}`, { gather, input })).resolves.toEqual({ publicId: "first", created: false });
      }
      await expect(fixture.ledger.waits.turnOf(TENANT, "first")).resolves.toMatchObject({
        ahead: null,
        notBefore: fixture.clock.time + 1_000,
      });
      fixture.clock.time += 1_000;
      expect(await admitted(fixture)).toEqual(["first"]);
      await expect(fixture.ledger.getRun(TENANT, "first")).resolves.toMatchObject({ input: "4" });
      await expect(ask(fixture, "next", { gather, input: "5" })).resolves.toEqual({ publicId: "next", created: true });
    });

    test("a batch has the inputs of its starts in their order, and begins when it is full or its time has come", async () => {
      const fixture = get();
      const gather = { id: "mail", mode: "append", delayMs: 5_000, maxDelayMs: null, maxItems: 3 } as const;
      for (const input of ['{"n":1}', "2", "null"]) await ask(fixture, `run-${input}`, { gather, input });
      expect(await admitted(fixture)).toEqual(['run-{"n":1}']);
      await expect(fixture.ledger.getRun(TENANT, 'run-{"n":1}')).resolves.toMatchObject({ input: '{"items":[{"n":1},2,null]}' });
      await expect(ask(fixture, "fourth", { gather, input: "4" })).resolves.toMatchObject({ created: true });
      fixture.clock.time += 4_999;
      expect(await admitted(fixture)).toEqual([]);
      fixture.clock.time += 1;
      expect(await admitted(fixture)).toEqual(["fourth"]);
      await expect(fixture.ledger.getRun(TENANT, "fourth")).resolves.toMatchObject({ input: '{"items":[4]}' });
    });

    test("a batch that would grow too large begins without the start that does not fit", async () => {
      const fixture = get();
      const gather = { id: "mail", mode: "append", delayMs: 5_000, maxDelayMs: null, maxItems: 100 } as const;
      const input = JSON.stringify("x".repeat(LIMITS.payloadBytes * 0.6));
      for (const name of ["a", "b"]) await ask(fixture, name, { gather, input });
      expect(await admitted(fixture)).toEqual(["a"]);
      fixture.clock.time += 5_000;
      expect(await admitted(fixture)).toEqual(["b"]);
    });

    test("`cancel-running` cancels the oldest that holds a slot, and `reject` the one that asks, in the commit that decides it", async () => {
      const fixture = get();
      const [latest, guarded] = [one("latest", { onLimit: "cancel-running", holds: "run" }), one("guarded", { onLimit: "reject" })];
      await ask(fixture, "old", { limiters: [latest] });
      await ask(fixture, "kept", { limiters: [guarded] });
      expect((await admitted(fixture)).toSorted()).toEqual(["kept", "old"]);
      await ask(fixture, "new", { limiters: [latest] });
      await ask(fixture, "refused", { limiters: [guarded] });
      const { runs, accepted } = await fixture.ledger.claims.admit(fixture.owner.epoch, 9);
      expect(runs).toEqual([]);
      const ids = await Promise.all(["old", "refused"].map(async (name) => (await fixture.ledger.getRun(TENANT, name))?.id));
      expect(new Set(accepted.map(({ runId, kind, actor }) => `${kind} ${runId} by ${actor}`))).toEqual(
        new Set(ids.map((id) => `cancel ${id} by limit`)),
      );
      await end(fixture, "old");
      expect(await admitted(fixture)).toEqual(["new"]);
    });

    test("a run that keeps its slot until its end has it when it is given again, and another one has not", async () => {
      const fixture = get();
      const slots: (number | null | undefined)[] = [];
      for (const holds of ["run", "activity"] as const) {
        await ask(fixture, holds, { limiters: [one(holds, { holds })] });
        const runId = (await fixture.ledger.claims.admit(fixture.owner.epoch, 1)).runs[0] ?? 0;
        await park(fixture, runId);
        // of the one that keeps its slot nothing stands in the way, of the other one the limit has room
        await expect(fixture.ledger.claims.admit(fixture.owner.epoch, 9)).resolves.toMatchObject({ runs: [runId] });
        slots.push((await fixture.ledger.loadRun(runId))?.run.slots);
        await ask(fixture, `${holds}-next`, { limiters: [one(holds, { holds })] });
        expect(await admitted(fixture)).toEqual([]);
        await endBegun(fixture, runId);
        expect(await admitted(fixture)).toEqual([`${holds}-next`]);
      }
      expect(slots).toEqual([SLOTS.held, SLOTS.held]);
      await ask(fixture, "free");
      const runId = (await fixture.ledger.claims.admit(fixture.owner.epoch, 1)).runs[0] ?? 0;
      expect((await fixture.ledger.loadRun(runId))?.run.slots).toBeNull();
    });

    test("an engine that does not own the ledger any more is given nothing", async () => {
      const fixture = get();
      await ask(fixture, "a");
      await expect(fixture.ledger.claims.admit(fixture.owner.epoch + 7, 9)).resolves.toMatchObject({ runs: [] });
      expect(await admitted(fixture)).toEqual(["a"]);
    });

    test("a run that was put into the queue in a commit of an engine is given like any other", async () => {
      const fixture = get();
      const runId = await fixture.ledger.reserveRunIds(1);
      const insert = insertRun(fixture.version.id, runId, { status: "QUEUED", ownerEpoch: null, slots: 2 });
      await commit(fixture, unit(runId, [insert, asks(runId)], null));
      await expect(fixture.ledger.claims.admit(fixture.owner.epoch, 9)).resolves.toMatchObject({ runs: [runId] });
      await expect(runOf(fixture, runId)).resolves.toMatchObject({ status: "QUEUED", ownerEpoch: fixture.owner.epoch, slots: null });
    });
  });
}
