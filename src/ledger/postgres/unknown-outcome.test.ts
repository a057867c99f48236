import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { type PostgresProxy, startProxy } from "../../../test/fixtures/postgres/proxy.ts";
import { insertStep, insertSubscription, postInbox, settleStep, TENANT, unit } from "../../testing/conformance/ledger/builders.ts";
import {
  commit,
  eachCase,
  type LedgerCase,
  type MakeLedger,
  parkedRun,
  refusal,
  startedRun,
} from "../../testing/conformance/ledger/kit.ts";
import type { Unit, Write } from "../writes.ts";
import { openPostgresLedger } from "./ledger.ts";

/** A case whose ledger speaks to its server by way of a proxy. */
interface ProxiedCase extends LedgerCase {
  readonly proxy: PostgresProxy;
}

function proxiedCases(): () => Promise<ProxiedCase> {
  const database = sharedDatabase();
  let proxy: PostgresProxy | undefined;
  const make: MakeLedger = async (clock) => {
    const started = await startProxy(await database());
    proxy = started;
    const url = `${started.url}?schema=ledger_${randomUUID().replaceAll("-", "")}`;
    const warnings: string[] = [];
    const again = () => openPostgresLedger({ url, clock, onWarning: (message) => warnings.push(message) });
    const ledger = await again();
    const dispose = async () => {
      await ledger.close();
      await started[Symbol.asyncDispose]();
    };
    return { ledger, file: undefined, warnings, again, dispose };
  };
  const get = eachCase(make);
  return async () => {
    const fixture = get();
    if (proxy === undefined) throw new Error("a case has a proxy");
    // the lane connects before anything is cut
    await startedRun(fixture);
    return { ...fixture, proxy };
  };
}

/** Ends the first step with an output that a proxy can look for, and tells of it in the history: twice, if it were written twice. */
function told(runId: number, output: string, ...more: readonly Write[]): Unit {
  const event: Write = { write: "insertEvent", runId, revision: 2, event: "paused", actor: output, detail: null };
  return unit(runId, [settleStep(runId, 0, { output: JSON.stringify(output) }), event, ...more]);
}

async function timesTold({ ledger }: LedgerCase, runId: number): Promise<number> {
  return (await ledger.listHistory(TENANT, `run-${runId}`)).filter(({ event }) => event === "paused").length;
}

const cancel = (runId: number) => ({ tenant: TENANT, publicId: `run-${runId}`, kind: "cancel", payload: null, actor: "ann" }) as const;

describe("a commit whose outcome the network hid", () => {
  const start = proxiedCases();

  test("P26 F42 is reported committed when its answer was lost, and is there once", async () => {
    const fixture = await start();
    const [one, two] = [await startedRun(fixture), await startedRun(fixture)];
    const cut = fixture.proxy.loseAnswer("marked");
    const outcome = await commit(fixture, told(one, "marked"), told(two, "beside"));
    await cut;
    expect(outcome).toEqual({ outcome: "committed", now: fixture.clock.time, missed: [], accepted: [] });
    for (const runId of [one, two]) await expect(timesTold(fixture, runId)).resolves.toBe(1);
    await expect(fixture.ledger.changedElsewhere()).resolves.toBe(true);
  });

  test("P26 is written once, by the next try, when its request was lost", async () => {
    const fixture = await start();
    const runId = await startedRun(fixture);
    const cut = fixture.proxy.loseRequest("marked");
    await expect(commit(fixture, told(runId, "marked"))).resolves.toMatchObject({ outcome: "committed", missed: [] });
    await cut;
    await expect(timesTold(fixture, runId)).resolves.toBe(1);
  });

  test("P26 is not taken for written by what was asked about it: the answer to the first question was lost too", async () => {
    const fixture = await start();
    const runId = await startedRun(fixture);
    const cuts = Promise.all([fixture.proxy.loseRequest("marked"), fixture.proxy.loseAnswer("UPDATE lane AS l")]);
    await expect(commit(fixture, told(runId, "marked"))).resolves.toMatchObject({ outcome: "committed", missed: [] });
    await cuts;
    await expect(timesTold(fixture, runId)).resolves.toBe(1);
  });

  test("P26 is not taken for missing when it arrived and the answer to the first question was lost too", async () => {
    const fixture = await start();
    const runId = await startedRun(fixture);
    const cuts = Promise.all([fixture.proxy.loseAnswer("marked"), fixture.proxy.loseAnswer("UPDATE lane AS l")]);
    await expect(commit(fixture, told(runId, "marked"))).resolves.toMatchObject({ outcome: "committed", missed: [] });
    await cuts;
    await expect(timesTold(fixture, runId)).resolves.toBe(1);
  });

  test("P26 has missed what it missed: a unit whose inbox moved on is not reported written", async () => {
    const fixture = await start();
    const runId = await startedRun(fixture);
    await fixture.ledger.accept(cancel(runId));
    const cut = fixture.proxy.loseAnswer("marked");
    await expect(commit(fixture, told(runId, "marked"))).resolves.toMatchObject({ outcome: "committed", missed: [0] });
    await cut;
    await expect(timesTold(fixture, runId)).resolves.toBe(0);
  });

  test.each(["loseRequest", "loseAnswer"] as const)(
    "P26 leaves out the unit that missed and writes the others, when the second try met %s",
    async (fault) => {
      const fixture = await start();
      const [late, good] = [await startedRun(fixture), await startedRun(fixture)];
      await fixture.ledger.accept(cancel(late));
      await fixture.ledger.accept(cancel(late));
      const held = fixture.proxy.holdRequest("marked");
      const outcome = commit(fixture, told(late, "late"), told(good, "marked"));
      const first = await held;
      const cut = fixture.proxy[fault]("marked");
      await first.letGo();
      await expect(outcome).resolves.toMatchObject({ outcome: "committed", missed: [0] });
      await cut;
      await expect(timesTold(fixture, late)).resolves.toBe(0);
      await expect(timesTold(fixture, good)).resolves.toBe(1);
    },
  );

  test.each(["loseRequest", "loseAnswer"] as const)(
    "P26 F42 of a batch that subscribes is resolved when its COMMIT met %s",
    async (fault) => {
      const fixture = await start();
      await fixture.ledger.events.publish({ tenant: TENANT, event: "paid", id: "e-1", data: { amount: 7 }, retainMs: 60_000 });
      const [one, two] = [await startedRun(fixture), await startedRun(fixture)];
      const waiting = told(one, "marked", insertStep(one, 1, { revision: 2 }), insertSubscription(one, 1));
      const cut = fixture.proxy[fault]("COMMIT\0");
      await expect(commit(fixture, waiting, told(two, "beside"))).resolves.toMatchObject({ outcome: "committed", missed: [] });
      await cut;
      for (const runId of [one, two]) await expect(timesTold(fixture, runId)).resolves.toBe(1);
      await expect(fixture.ledger.waits.listSignals(TENANT, `run-${one}`)).resolves.toMatchObject([{ kind: "event" }]);
    },
  );

  test.each(["loseRequest", "loseAnswer"] as const)(
    "P26 of units that are written one by one is resolved when COMMIT met %s",
    async (fault) => {
      const fixture = await start();
      const [parent, child] = [await startedRun(fixture), await startedRun(fixture)];
      const cut = fixture.proxy[fault]("COMMIT\0");
      // the child is sent something, and misses it
      const sends = told(parent, "marked", postInbox(parent, child));
      await expect(commit(fixture, sends, told(child, "late"))).resolves.toMatchObject({ outcome: "committed", missed: [1] });
      await cut;
      await expect(timesTold(fixture, parent)).resolves.toBe(1);
      await expect(timesTold(fixture, child)).resolves.toBe(0);
      await expect(fixture.ledger.waits.listSignals(TENANT, `run-${child}`)).resolves.toHaveLength(1);
    },
  );

  test("P26 of the careful way is resolved too: the row that is to blame is found after the connection was lost", async () => {
    const fixture = await start();
    const [good, bad] = [await startedRun(fixture), await startedRun(fixture)];
    const held = fixture.proxy.holdRequest("marked");
    const refused = refusal(commit(fixture, told(good, "marked"), told(bad, "bad", settleStep(bad, 7))));
    const first = await held;
    const cut = fixture.proxy.loseAnswer("marked");
    await first.letGo();
    await expect(refused).resolves.toMatchObject({ code: "LEDGER_CONFLICT", data: { unit: 1, runId: bad } });
    await cut;
    for (const runId of [good, bad]) await expect(timesTold(fixture, runId)).resolves.toBe(0);
  });

  test("P26 cannot arrive once it was asked for: a request that the network delivers late changes nothing", async () => {
    const fixture = await start();
    const runId = await startedRun(fixture);
    const held = fixture.proxy.holdRequest("marked");
    const outcome = commit(fixture, told(runId, "marked"));
    const late = await held;
    late.orphan();
    await expect(outcome).resolves.toMatchObject({ outcome: "committed", missed: [] });
    await late.letGo();
    await expect(timesTold(fixture, runId)).resolves.toBe(1);
  });
});

describe("a look whose answer the network hid", () => {
  const start = proxiedCases();

  test("F41 what was sent to a run is given again until it has been delivered", async () => {
    const fixture = await start();
    const other = await fixture.again();
    const row = await other.accept(cancel(await startedRun(fixture)));
    await other.close();
    const cut = fixture.proxy.loseAnswer("i.run_id = ANY");
    await expect(fixture.ledger.claims.sent(0, 9)).rejects.toMatchObject({ code: "LEDGER_UNREACHABLE" });
    await cut;
    for (let given = 0; given < 2; given++) await expect(fixture.ledger.claims.sent(0, 9)).resolves.toEqual([row]);
    await expect(fixture.ledger.claims.sent(row.id, 9)).resolves.toEqual([]);
  });

  test("F41 a run that was claimed without its engine's knowledge is given to it by the next look", async () => {
    const fixture = await start();
    const runId = await parkedRun(fixture, 1);
    fixture.clock.time += 1;
    const cut = fixture.proxy.loseAnswer("SELECT w.due_at, r.id");
    await expect(fixture.ledger.claims.due(undefined, 9)).rejects.toMatchObject({ code: "LEDGER_UNREACHABLE" });
    await cut;
    await expect(fixture.ledger.claims.due(undefined, 9)).resolves.toEqual([]);
    await expect(fixture.ledger.claims.runs("left_behind", 0, 9)).resolves.toContain(runId);
  });
});
