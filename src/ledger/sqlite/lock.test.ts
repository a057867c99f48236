import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished, test } from "vitest";
import { takeLock } from "./lock.ts";

/** Takes the lock and tells only whether it had it, so that nobody holds what was taken. */
async function takes(file: string): Promise<boolean> {
  return (await takeLock(file)) !== undefined;
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  if (typeof gc !== "function") throw new Error("this runtime shows no garbage collector");
  for (let round = 0; round < 3; round += 1) {
    gc();
    await setImmediate();
  }
}

test("a lock stays taken when its owner keeps no hold of it, until the process ends", async () => {
  const directory = mkdtempSync(join(tmpdir(), "stepwell-lock-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "ledger.db");
  expect(await takes(file)).toBe(true);
  await collectGarbage();
  expect(await takes(file)).toBe(false);
});
