import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import { openMemoryLedger } from "../../../ledger/memory/ledger.ts";
import type { Ledger } from "../../../ledger/port.ts";
import { openPostgresLedger } from "../../../ledger/postgres/ledger.ts";
import { openSqliteLedger } from "../../../ledger/sqlite/ledger.ts";
import { LedgerThread } from "../../../ledger/thread/ledger-thread.ts";
import { threadLedger } from "../../../ledger/thread/thread-ledger.ts";
import { openLedger } from "../../../ledger/url.ts";
import type { MakeLedger, ManualTime } from "./kit.ts";
import type { FileInThread, Warned } from "./thread-worker.ts";

export const memoryLedgers: MakeLedger = async (clock) => {
  const warnings: string[] = [];
  const ledger = openMemoryLedger({ clock, onWarning: (message) => warnings.push(message) });
  return { ledger, file: undefined, warnings, again: () => openLedger("memory:again"), dispose: () => ledger.close() };
};

/** How a file is opened once more. */
type OpenFile = (file: string, clock: ManualTime, warned: (message: string) => void) => Promise<Ledger>;

/** A locked file is given up after 50 ms. */
const openHere: OpenFile = (file, clock, onWarning) => openSqliteLedger({ file, clock, busyTimeoutMs: 50, onWarning });

let worker: Worker | undefined;

/** All in one thread, which is started once. */
const openInThread: OpenFile = async (file, { shared }, warned) => {
  worker ??= new Worker(new URL("thread-worker.ts", import.meta.url));
  worker.unref();
  const { port1, port2 } = new MessageChannel();
  port1.on("message", (message: Warned | { readonly type: "answer" }) => {
    if (message.type === "warned") warned(message.warning);
  });
  const thread = new LedgerThread(port1);
  port1.once("close", () => thread.end(undefined));
  const request: FileInThread = { port: port2, file, time: shared };
  worker.postMessage(request, [port2]);
  return threadLedger(thread, await thread.opened());
};

/** SQLite files in a new directory each. */
const filesOpenedBy =
  (open: OpenFile): MakeLedger =>
  async (clock) => {
    const directory = mkdtempSync(join(tmpdir(), "stepwell-ledger-"));
    const file = join(directory, "new", "ledger.db");
    const warnings: string[] = [];
    const again = () => open(file, clock, (message) => warnings.push(message));
    const ledger = await again();
    const dispose = async () => {
      await ledger.close();
      rmSync(directory, { recursive: true });
    };
    return { ledger, file, warnings, again, dispose };
  };

export const sqliteLedgers = filesOpenedBy(openHere);
/** As `stepwell server` and `stepwell worker` open them. */
export const threadedLedgers = filesOpenedBy(openInThread);

/** A schema of its own for each, in one database. */
export function postgresLedgers(database: () => Promise<string>): MakeLedger {
  return async (clock) => {
    const schema = `ledger_${randomUUID().replaceAll("-", "")}`;
    const url = `${await database()}?schema=${schema}`;
    const warnings: string[] = [];
    const again = () => openPostgresLedger({ url, clock, onWarning: (message) => warnings.push(message) });
    const ledger = await again();
    return { ledger, file: undefined, warnings, again, dispose: () => ledger.close() };
  };
}
