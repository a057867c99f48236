import { describe, expect, test } from "vitest";
import type { EventEntry } from "../../../ledger/port.ts";
import type { Json } from "../../../model/json.ts";
import { parseJson } from "../../../model/json.ts";
import { endRun, insertStep, insertSubscription, settleStep, TENANT, unit } from "./builders.ts";
import { commit, eachCase, type LedgerCase, type MakeLedger, openedAgain, refusal, runOf, startedRun } from "./kit.ts";

const DAY_MS = 86_400_000;

function paid(data: Json, change: Partial<EventEntry> = {}): EventEntry {
  return { tenant: TENANT, event: "paid", id: "e1", data, retainMs: DAY_MS, ...change };
}

/** What a run was sent: step, member and id of the event. */
async function received({ ledger }: LedgerCase, runId: number): Promise<readonly unknown[]> {
  const rows = await ledger.waits.listSignals(TENANT, `run-${runId}`);
  return rows.map(({ kind, ordinal, name, payload }) => ({ kind, ordinal, name, payload: parseJson(payload ?? "null") }));
}

export function describeEvents(make: MakeLedger): void {
  describe("events", () => {
    const get = eachCase(make);

    test("S1+12 an event goes to every open subscription that matches, as an inbox row of its run", async () => {
      const fixture = get();
      const [first, second, other] = [await startedRun(fixture), await startedRun(fixture), await startedRun(fixture)];
      const look = (runId: number, where: Record<string, string | number>) => unit(runId, [insertSubscription(runId, 0, { where })]);
      await commit(fixture, look(first, { order: 7 }), look(second, { zone: "eu", order: 7 }), look(other, { order: "7" }));
      const data = { order: 7, zone: "eu", lines: [1] };
      const published = await fixture.ledger.events.publish(paid(data));
      expect(published).toMatchObject({
        isNew: true,
        isKept: false,
        accepted: [
          { runId: first, seq: 1 },
          { runId: second, seq: 1 },
        ],
      });
      const row = { kind: "event", ordinal: 0, name: "paid", payload: { member: 0, event: "paid", id: "e1", data } };
      await expect(received(fixture, first)).resolves.toEqual([row]);
      await expect(received(fixture, second)).resolves.toEqual([row]);
      await expect(received(fixture, other)).resolves.toEqual([]);
      await expect(runOf(fixture, first)).resolves.toMatchObject({ inboxSeq: 1 });
      await expect(commit(fixture, unit(first, [settleStep(first, 0)], 0))).resolves.toMatchObject({ missed: [0] });
    });

    test("S1+12 an event that nobody waits for is kept for the first subscription that matches, then it is gone", async () => {
      const fixture = get();
      const [early, first, second] = [await startedRun(fixture), await startedRun(fixture), await startedRun(fixture)];
      await expect(fixture.ledger.events.publish(paid({ order: 7 }))).resolves.toEqual({ isNew: true, isKept: true, accepted: [] });
      const look = (runId: number, order: number) => unit(runId, [insertSubscription(runId, 0, { where: { order } })]);
      await expect(commit(fixture, look(early, 8))).resolves.toMatchObject({ accepted: [] });
      const outcome = await commit(fixture, look(first, 7), look(second, 7));
      expect(outcome).toMatchObject({ missed: [], accepted: [{ runId: first, seq: 1, kind: "event", ordinal: 0 }] });
      await expect(received(fixture, second)).resolves.toEqual([]);
      await expect(commit(fixture, unit(first, [settleStep(first, 0)], 0))).resolves.toMatchObject({ missed: [0] });
    });

    test("a subscription takes one event; the next one is kept", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await commit(fixture, unit(runId, [insertSubscription(runId, 0)]));
      await expect(fixture.ledger.events.publish(paid(1))).resolves.toMatchObject({ isKept: false });
      await expect(fixture.ledger.events.publish(paid(2, { id: "e2" }))).resolves.toMatchObject({ isKept: true });
      await expect(commit(fixture, unit(runId, [insertSubscription(runId, 0)], 1))).resolves.toMatchObject({ accepted: [{ seq: 2 }] });
      expect(await received(fixture, runId)).toMatchObject([{ payload: { id: "e1", data: 1 } }, { payload: { id: "e2", data: 2 } }]);
    });

    test.each(["any", "all"] as const)("of several events that a step waits for, a match ends one or all: %s", async (mode) => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const members = ["paid", "sent"].map((event, member) => insertSubscription(runId, 0, { member, mode, event }));
      await fixture.ledger.events.publish(paid(1));
      await commit(fixture, unit(runId, members));
      const sent = await fixture.ledger.events.publish(paid(2, { event: "sent" }));
      expect(sent.isKept).toBe(mode === "any");
      expect(await received(fixture, runId)).toHaveLength(mode === "any" ? 1 : 2);
    });

    test("an id is published once as long as it is remembered, per tenant and event", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      const { events } = fixture.ledger;
      await commit(fixture, unit(runId, [insertSubscription(runId, 0), insertSubscription(runId, 1)]));
      await expect(events.publish(paid(1, { retainMs: 1_000 }))).resolves.toMatchObject({ isNew: true, accepted: [{}, {}] });
      await expect(events.publish(paid(1))).resolves.toEqual({ isNew: false, isKept: false, accepted: [] });
      await expect(events.publish(paid(1, { tenant: "other" }))).resolves.toMatchObject({ isNew: true });
      await expect(events.publish(paid(1, { event: "sent" }))).resolves.toMatchObject({ isNew: true });
      fixture.clock.time += 1_000;
      await expect(events.publish(paid(1, { retainMs: 1_000 }))).resolves.toMatchObject({ isNew: true, isKept: true });
      await expect(events.publish(paid(1))).resolves.toMatchObject({ isNew: false, isKept: true });
    });

    test("a kept event expires by the ledger's clock", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await fixture.ledger.events.publish(paid(1, { retainMs: 1_000 }));
      fixture.clock.time += 1_000;
      await expect(commit(fixture, unit(runId, [insertSubscription(runId, 0)]))).resolves.toMatchObject({ accepted: [] });
    });

    test("subscriptions end with their step or run", async () => {
      const fixture = get();
      const [waiting, ended] = [await startedRun(fixture), await startedRun(fixture)];
      await commit(fixture, unit(waiting, [insertSubscription(waiting, 0), insertStep(waiting, 1), insertSubscription(waiting, 1)]));
      await commit(fixture, unit(waiting, [{ write: "deleteSubscriptions", runId: waiting, ordinal: 0 }]));
      await commit(fixture, unit(ended, [insertSubscription(ended, 0), settleStep(ended, 0), endRun(ended)]));
      const { accepted } = await fixture.ledger.events.publish(paid(1));
      expect(accepted).toMatchObject([{ runId: waiting, ordinal: 1 }]);
    });

    test("an event that could not be matched by all its members is refused", async () => {
      const { ledger } = get();
      const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, index]));
      await expect(ledger.events.publish(paid({ ...members(32), list: [1] }))).resolves.toMatchObject({ isNew: true });
      expect((await refusal(ledger.events.publish(paid(members(33), { id: "e2" })))).code).toBe("VALUE_TOO_LARGE");
    });

    test("an event through another handle is seen by the owner's next commit, and matches what the owner subscribed to", async () => {
      const fixture = get();
      const other = await openedAgain(fixture);
      if (other === undefined) return;
      const runId = await startedRun(fixture);
      await other.events.publish(paid(1));
      await expect(commit(fixture, unit(runId, [insertSubscription(runId, 0)]))).resolves.toMatchObject({ accepted: [{ seq: 1 }] });
      await commit(fixture, unit(runId, [insertSubscription(runId, 0)], 1));
      await expect(other.events.publish(paid(2, { id: "e2" }))).resolves.toMatchObject({ accepted: [{ runId, seq: 2 }] });
      await expect(commit(fixture, unit(runId, [settleStep(runId, 0)], 1))).resolves.toMatchObject({ missed: [0] });
      await other.close();
    });

    test("a batch that is refused matches nothing", async () => {
      const fixture = get();
      const runId = await startedRun(fixture);
      await fixture.ledger.events.publish(paid(1));
      expect((await refusal(commit(fixture, unit(runId, [insertSubscription(runId, 0), insertStep(runId, 0)])))).code).toBe(
        "LEDGER_CONFLICT",
      );
      await expect(commit(fixture, unit(runId, [insertSubscription(runId, 0)]))).resolves.toMatchObject({ accepted: [{ seq: 1 }] });
    });
  });
}
