/** SQLite ledgers in a thread, whose clocks tests hold. */
import { type MessagePort, parentPort } from "node:worker_threads";
import { openSqliteLedger } from "../../../ledger/sqlite/ledger.ts";
import { serveLedger } from "../../../ledger/thread/serve-ledger.ts";

export interface FileInThread {
  readonly port: MessagePort;
  readonly file: string;
  readonly time: Float64Array<SharedArrayBuffer>;
}

export interface Warned {
  readonly type: "warned";
  readonly warning: string;
}

parentPort?.on("message", ({ port, file, time }: FileInThread) => {
  const clock = { now: () => time[0] ?? 0 };
  const onWarning = (warning: string) => {
    const message: Warned = { type: "warned", warning };
    port.postMessage(message);
  };
  void serveLedger(port, () => openSqliteLedger({ file, clock, busyTimeoutMs: 50, onWarning }));
});
