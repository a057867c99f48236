/** What the thread of a ledger does: see `openThreadLedger`. */
import { parentPort } from "node:worker_threads";
import { openSqliteLedger } from "../sqlite/ledger.ts";
import type { ThreadPlace } from "./protocol.ts";
import { serveLedger } from "./serve-ledger.ts";

parentPort?.once("message", ({ port, file }: ThreadPlace) => void serveLedger(port, () => openSqliteLedger({ file })));
