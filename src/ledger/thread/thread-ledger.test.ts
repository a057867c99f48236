import { MessageChannel } from "node:worker_threads";
import { expect, test } from "vitest";
import { Workspace } from "../../../test/fixtures/cli-process.ts";
import { WORKER } from "../../testing/conformance/ledger/kit.ts";
import { openMemoryLedger } from "../memory/ledger.ts";
import type { Ledger } from "../port.ts";
import { openLedger } from "../url.ts";
import { LedgerThread } from "./ledger-thread.ts";
import { serveLedger } from "./serve-ledger.ts";
import { openThreadLedger, threadLedger } from "./thread-ledger.ts";

/** A ledger at the other end of a port, in this thread. */
async function across(ledger: Ledger): Promise<{ readonly thread: LedgerThread; readonly ledger: Ledger }> {
  const { port1, port2 } = new MessageChannel();
  const thread = new LedgerThread(port1);
  port1.once("close", () => thread.end(undefined));
  await serveLedger(port2, () => Promise.resolve(ledger));
  return { thread, ledger: threadLedger(thread, await thread.opened()) };
}

test("a ledger in a thread is that of its file, and is closed with its thread", async () => {
  using workspace = new Workspace();
  const file = `${workspace.folder}/ledger.db`;
  const ledger = await openThreadLedger(file);
  await ledger.own(WORKER);
  await expect(ledger.reserveRunIds(7)).resolves.toBe(1);
  await ledger.close();
  await ledger.close();
  await expect(ledger.waits.now()).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
  const here = await openLedger(file);
  await expect(here.reserveRunIds(1)).resolves.toBe(8);
  await here.close();
});

test("what opening raises comes out of the thread with its code", async () => {
  using workspace = new Workspace({ "ledger.db": "this is no database" });
  await expect(openThreadLedger(`${workspace.folder}/ledger.db`)).rejects.toMatchObject({
    code: "LEDGER_CORRUPT",
    hint: expect.any(String),
  });
});

test("what the thread was asked when it died is LEDGER_IO, as nobody knows what became of it; from then on the ledger is closed", async () => {
  const memory = openMemoryLedger();
  const { thread, ledger } = await across(memory);
  const asked = ledger.reserveRunIds(1);
  thread.end(new Error("out of memory"));
  await expect(asked).rejects.toMatchObject({ code: "LEDGER_IO", message: expect.stringContaining("out of memory") });
  await expect(ledger.reserveRunIds(1)).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
  await expect(ledger.close()).resolves.toBeUndefined();
  await memory.close();
});

test("what is asked for when the ledger is closed is answered before the thread ends", async () => {
  const memory = openMemoryLedger();
  const slow = Promise.withResolvers<number>();
  const close = async () => void setImmediate(() => slow.resolve(42));
  const { ledger } = await across({ ...memory, reserveRunIds: () => slow.promise, close });
  const late = ledger.reserveRunIds(1);
  await ledger.close();
  await expect(late).resolves.toBe(42);
});

test("answers come to those who asked, whatever their order", async () => {
  const memory = openMemoryLedger();
  const slow = Promise.withResolvers<number>();
  const { ledger } = await across({
    ...memory,
    lanes: 3,
    isShared: true,
    reserveRunIds: () => slow.promise,
    changedElsewhere: () => Promise.resolve(true),
  });
  expect([ledger.lanes, ledger.isShared]).toEqual([3, true]);
  const late = ledger.reserveRunIds(1);
  await expect(ledger.changedElsewhere()).resolves.toBe(true);
  slow.resolve(42);
  await expect(late).resolves.toBe(42);
  await memory.close();
});
