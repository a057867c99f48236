import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { Limiter } from "../../model/admission.ts";
import { sqliteLedgers } from "../../testing/conformance/ledger/backends.ts";
import { aQueuedRun } from "../../testing/conformance/ledger/builders.ts";
import { eachCase } from "../../testing/conformance/ledger/kit.ts";

const PERIOD_MS = 1_000;
const KEYS = 5;

/** One run a second for each key. */
const rateOf = (key: number): Limiter => ({ id: `rate-${key}`, limit: 1, periodMs: PERIOD_MS, onLimit: "queue", holds: "activity" });
const get = eachCase(sqliteLedgers);

test("a rate is forgotten when it is used up no more and nobody waits for it, however many keys there were", async () => {
  const { ledger, version, clock, owner, file = "" } = get();
  const ask = async (name: string, limiters: readonly Limiter[]): Promise<void> => {
    const admission = JSON.stringify({ priorityMs: 0, limiters, gather: null });
    await ledger.enqueueRun(aQueuedRun(version.id, name, { admission }));
  };
  const admitted = async (): Promise<number> => (await ledger.claims.admit(owner.epoch, 200)).runs.length;
  const rates = (): unknown => {
    using db = new DatabaseSync(file, { readOnly: true });
    return db
      .prepare("SELECT name FROM limiter ORDER BY name")
      .all()
      .map((row) => row["name"]);
  };
  for (let key = 0; key < KEYS; key++) await ask(`run-${key}`, [rateOf(key)]);
  await ask("waits", [rateOf(0)]);
  await expect(admitted()).resolves.toBe(KEYS);
  clock.time += PERIOD_MS - 1;
  await ask("free-1", []);
  await expect(admitted()).resolves.toBe(1);
  expect(rates()).toHaveLength(KEYS);
  clock.time += 1;
  await ask("free-2", []);
  await expect(admitted()).resolves.toBe(2);
  expect(rates()).toEqual(["rate-0"]);
});
