import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { startProxy } from "../../../test/fixtures/postgres/proxy.ts";
import type { StepwellError } from "../../model/errors.ts";
import { aVersion, insertRun, insertStep, insertSubscription, TENANT, unit } from "../../testing/conformance/ledger/builders.ts";
import { WORKER } from "../../testing/conformance/ledger/kit.ts";
import type { Ledger, OwnerEvents, Ownership } from "../port.ts";
import { Connections } from "./connections.ts";
import { ConnectedHeart } from "./heart.ts";
import { liveWorkers } from "./inspect.ts";
import { openPostgresLedger } from "./ledger.ts";
import { placeOf } from "./settings.ts";

const LEASE_MS = 1_500;
const database = sharedDatabase();

interface Owner {
  readonly ledger: Ledger;
  readonly ownership: Ownership;
  readonly lost: Promise<StepwellError>;
  readonly errors: StepwellError[];
}

async function owner(url: string, name: string, ownThread = false): Promise<Owner> {
  const ledger = await openPostgresLedger({ url, leaseMs: LEASE_MS, ownThread, onWarning: () => undefined });
  const { promise: lost, resolve } = Promise.withResolvers<StepwellError>();
  const errors: StepwellError[] = [];
  const events: OwnerEvents = {
    lost: (error) => {
      errors.push(error);
      resolve(error);
    },
    stalled: () => undefined,
  };
  return { ledger, ownership: await ledger.own({ ...WORKER, name }, events), lost, errors };
}

async function startedRun({ ledger, ownership: { epoch } }: Owner, ...more: Parameters<typeof unit>[1]): Promise<number> {
  const version = await ledger.putVersion(aVersion());
  const runId = await ledger.reserveRunIds(1);
  const writes = [insertRun(version.id, runId, { ownerEpoch: epoch }), insertStep(runId, 0), ...more];
  await ledger.commit({ epoch, units: [unit(runId, writes, null)] });
  return runId;
}

test("P5 F33 a worker that is cut off takes itself for fenced; its open transaction holds up no other, who gets its runs", async () => {
  const direct = `${await database()}?schema=cut_${randomUUID().replaceAll("-", "")}`;
  await using proxy = await startProxy(direct);
  const cutOff = await owner(proxy.url, "cut-off");
  const other = await owner(direct, "other");
  const runId = await startedRun(cutOff);
  const held = proxy.holdRequest("COMMIT\0");
  const waiting = unit(runId, [insertStep(runId, 1, { revision: 2 }), insertSubscription(runId, 1)]);
  const outcome = cutOff.ledger.commit({ epoch: cutOff.ownership.epoch, units: [waiting] });
  await held;
  proxy.swallow();
  await expect(cutOff.lost).resolves.toMatchObject({ code: "LEDGER_FENCED" });
  let found: readonly number[] = [];
  while (found.length === 0) found = await other.ledger.claims.runs("left_behind", 0, 9);
  expect(found).toEqual([runId]);
  expect(other.errors).toEqual([]);
  await proxy.restore();
  await expect(outcome).resolves.toEqual({ outcome: "fenced" });
  await expect(other.ledger.listSteps(TENANT, `run-${runId}`)).resolves.toMatchObject([{ status: "RUNNING" }, {}, {}]);
  await cutOff.ledger.close();
  await other.ledger.close();
});

test("P2 P5 what is written under a new epoch stays out of a transaction that the old one has open on its way", async () => {
  await using proxy = await startProxy(`${await database()}?schema=anew_${randomUUID().replaceAll("-", "")}`);
  const { ledger, ownership, ...rest } = await owner(proxy.url, "worker");
  const old = await startedRun({ ledger, ownership, ...rest });
  const held = proxy.holdRequest("BEGIN\0");
  const waiting = unit(old, [insertStep(old, 1, { revision: 2 }), insertSubscription(old, 1)]);
  const late = ledger.commit({ epoch: ownership.epoch, units: [waiting] });
  const begin = await held;
  const { epoch } = await ledger.own({ ...WORKER, name: "worker" });
  const { id } = await ledger.putVersion(aVersion());
  // of the same lane
  const runId = (await ledger.reserveRunIds(ledger.lanes)) + ledger.lanes - 1;
  const writes = [insertRun(id, runId, { ownerEpoch: epoch }), insertStep(runId, 0)];
  const committed = ledger.commit({ epoch, units: [unit(runId, writes, null)] });
  await Promise.race([begin.letGo(), committed]);
  await expect(late).resolves.toEqual({ outcome: "fenced" });
  await expect(committed).resolves.toMatchObject({ outcome: "committed", missed: [] });
  await expect(ledger.listSteps(TENANT, `run-${runId}`)).resolves.toMatchObject([{ status: "RUNNING" }, {}, {}]);
  await ledger.close();
});

test("P5 a heartbeat keeps the lease through the loss of its connection", async () => {
  const direct = `${await database()}?schema=beat_${randomUUID().replaceAll("-", "")}`;
  await using proxy = await startProxy(direct);
  // each connection says the statement in full once
  const heartbeat = "greatest(heartbeat_at";
  const cuts = proxy.loseAnswer(heartbeat).then(() => proxy.loseAnswer(heartbeat));
  const worker = await owner(proxy.url, "worker");
  const other = await owner(direct, "other");
  await startedRun(worker);
  await cuts;
  const since = await other.ledger.waits.now();
  while ((await other.ledger.waits.now()) < since + 2 * LEASE_MS) await new Promise((resolve) => setImmediate(resolve));
  await expect(other.ledger.claims.runs("left_behind", 0, 9)).resolves.toEqual([]);
  expect(worker.errors).toEqual([]);
  await worker.ledger.close();
  await other.ledger.close();
});

test("P5 a heart beats while its worker's runs are attended to, and loses the lease when they are not", async () => {
  const url = `${await database()}?schema=heart_${randomUUID().replaceAll("-", "")}`;
  const worker = await owner(url, "worker");
  const connections = await Connections.open(placeOf(url), 0);
  let isAttended = true;
  const heart = new ConnectedHeart(connections, () => isAttended);
  const { promise: lost, resolve } = Promise.withResolvers<string>();
  let beats = 0;
  const held = (): void => {
    beats += 1;
    if (beats === 2) isAttended = false;
  };
  heart.beat({ epoch: worker.ownership.epoch, leaseMs: LEASE_MS }, { held, lost: () => resolve("lost") });
  await expect(lost).resolves.toBe("lost");
  expect(beats).toBe(2);
  await heart.end();
  await connections.close();
  await worker.ledger.close();
});

/** The event loop of this thread stands still. */
const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

test("P5 heartbeats of a thread keep the lease while the event loop stands still, and not for ever", async () => {
  const url = `${await database()}?schema=still_${randomUUID().replaceAll("-", "")}`;
  const worker = await owner(url, "worker", true);
  const silentMs = async () => (await liveWorkers(url))[0]?.silentMs;
  standStill(2 * LEASE_MS);
  expect(await silentMs()).toBeLessThan(LEASE_MS);
  expect(worker.errors).toEqual([]);
  standStill(7 * LEASE_MS);
  await expect(worker.lost).resolves.toMatchObject({ code: "LEDGER_FENCED" });
  await worker.ledger.close();
});
