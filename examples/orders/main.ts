// `npm start`: the shop's morning batch against a real HTTP service. Kill it at any moment and start it again: the same run goes on.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCodeOfError } from "../../src/cli/exit-codes.ts";
import { openExistingLedger, TENANT } from "../../src/cli/open-ledger.ts";
import { reportError } from "../../src/cli/report-error.ts";
import { type RunRequest, runWorkflow } from "../../src/cli/run-workflow.ts";
import { processTerminal } from "../../src/cli/terminal.ts";

/** Where the workflow looks for the shop. */
const SHOP_PORT = 4010;
const HOME = ".stepwell";
const LEDGER = join(HOME, "ledger.db");
const JOURNAL = join(HOME, "shop-journal.jsonl");
/** Kept, because a run that goes on after a kill looks for the shop where it was. */
const PORT_FILE = join(HOME, "shop-port");
/** A shop whose parent was killed a moment ago may not have let go of the port yet. */
const PORT_TRIES = 10;
const PORT_RETRY_MS = 100;

interface Shop {
  readonly url: string;
  readonly process: ChildProcess;
}

async function startShop(): Promise<Shop> {
  const port = existsSync(PORT_FILE) ? Number(readFileSync(PORT_FILE, "utf8")) : SHOP_PORT;
  for (let tries = 0; tries < PORT_TRIES; tries++) {
    const shop = await tryStartShop(port);
    if (shop !== undefined) return shop;
    await sleep(PORT_RETRY_MS);
  }
  const shop = await tryStartShop(0);
  if (shop === undefined) throw new Error("the shop's service did not start");
  writeFileSync(PORT_FILE, new URL(shop.url).port);
  return shop;
}

/** Undefined when the service ended before it listened: somebody else has the port. */
async function tryStartShop(port: number): Promise<Shop | undefined> {
  // Of its own process group, so that Ctrl-C does not take it from steps that may still end; it leaves with this process.
  const child = spawn(process.execPath, [beside("service.ts"), "--port", String(port), "--state", JOURNAL], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore", "ipc"],
  });
  const { stdout } = child;
  if (stdout === null) throw new Error("the shop's service has no output");
  const said = once(createInterface(stdout), "line").then(([line]) => String(line));
  const line = await Promise.race([said, once(child, "exit").then(() => undefined)]);
  const url = /https?:\S+/.exec(line ?? "")?.[0];
  return url === undefined ? undefined : { url, process: child };
}

/** The orders as they are; with the shop's address when it is not where the workflow expects it. */
function inputFor({ url }: Shop): string {
  const orders = beside("orders.json");
  if (new URL(url).port === String(SHOP_PORT)) return `@${orders}`;
  const file = join(HOME, "orders-input.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(orders, "utf8")), shop: url }));
  return `@${file}`;
}

function beside(name: string): string {
  return join(relative(process.cwd(), import.meta.dirname), name);
}

async function whatNext(): Promise<string> {
  await using ledger = await openExistingLedger(LEDGER);
  const { runs } = await ledger.listRuns({ tenant: TENANT, workflow: "orders", limit: 1 });
  // As much of the id as tells the runs of one millisecond from all others.
  const run = runs[0]?.publicId.slice(0, 13) ?? "RUN";
  const stepwell = "npx node src/cli/bin.ts";
  return `
What next:
  ${stepwell} runs show ${run}
      what each step did, its attempts, and the history of this run
  ${stepwell} graph ${beside("workflow.yaml")}
      the workflow as a Mermaid chart
  npm start, kill it in the middle (kill -9), npm start
      the same run goes on; what was finished is not done again
  docs/guide/getting-started.md
      a workflow of your own`;
}

mkdirSync(HOME, { recursive: true });
const shop = await startShop();
console.log(`The shop (stock, payments, carrier, mail) answers at ${shop.url}`);
console.log(`Running ${beside("workflow.yaml")} on the orders of ${beside("orders.json")}; every step is durable in ${LEDGER}\n`);
const terminal = processTerminal();
const request: RunRequest = {
  file: beside("workflow.yaml"),
  operators: beside("operators.ts"),
  input: inputFor(shop),
  ledger: LEDGER,
  resume: true,
  goOnWith: "npm start",
};
const exitCode = await runWorkflow(request, terminal).catch((error: unknown) => {
  reportError(terminal.err, error);
  return exitCodeOfError(error);
});
shop.process.kill();
if (exitCode === 0) console.log(await whatNext());
process.exitCode = exitCode;
