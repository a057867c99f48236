/**
 * A process that owns a ledger until it is killed: opens the URL of its first argument, starts one run, and prints
 * `{ epoch, runId }` on a line. Tests kill it to see what a dead owner leaves behind.
 */
import { hostname } from "node:os";
import { openLedger } from "../../../ledger/url.ts";
import { aVersion, insertRun, insertStep, unit } from "./builders.ts";

const ledger = await openLedger(process.argv[2] ?? "");
const { epoch } = await ledger.own({ name: "owner", host: hostname(), pid: process.pid, version: "test", groups: null });
const version = await ledger.putVersion(aVersion());
const runId = await ledger.reserveRunIds(1);
await ledger.commit({ epoch, units: [unit(runId, [insertRun(version.id, runId, { ownerEpoch: epoch }), insertStep(runId, 0)], null)] });
process.stdout.write(`${JSON.stringify({ epoch, runId })}\n`);
process.stdin.resume();
