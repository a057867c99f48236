import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { MessageChannel, Worker } from "node:worker_threads";
import type { Ledger } from "../port.ts";
import { LedgerThread, type Opened } from "./ledger-thread.ts";
import type { Part, ThreadPlace } from "./protocol.ts";

/** The same ending as this file: `.ts` in development, `.js` in the package. */
const WORKER_FILE = fileURLToPath(new URL(`worker${extname(import.meta.url)}`, import.meta.url));

/**
 * Opens a SQLite file in a thread of its own: a flush that takes long holds up nobody here. See ADR 1 for what that costs.
 *
 * @throws StepwellError what `openSqliteLedger` raises
 */
export async function openThreadLedger(file: string): Promise<Ledger> {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(WORKER_FILE, { name: "ledger" });
  const place: ThreadPlace = { port: port2, file };
  worker.postMessage(place, [port2]);
  const thread = new LedgerThread(port1);
  const ended = once(worker, "exit").then(
    () => undefined,
    (cause: Error) => cause,
  );
  // comes after everything that the thread has said
  void once(port1, "close").then(async () => thread.end(await ended));
  return threadLedger(thread, await thread.opened());
}

/** The ledger at the other end, which has no transactions for callers: those would need its connection here. */
export function threadLedger(thread: LedgerThread, { lanes, isShared }: Opened): Ledger {
  const calls = asking(thread, null);
  const claims = asking(thread, "claims");
  const events = asking(thread, "events");
  const tasks = asking(thread, "tasks");
  const retention = asking(thread, "retention");
  return {
    lanes,
    isShared,
    transactions: null,
    waits: waitsAt(thread),
    claims: { admit: claims("admit"), runs: claims("runs"), due: claims("due"), one: claims("one"), sent: claims("sent") },
    events: { publish: events("publish") },
    tasks: {
      list: tasks("list"),
      get: tasks("get"),
      decide: tasks("decide"),
      poll: tasks("poll"),
      claim: tasks("claim"),
      heartbeat: tasks("heartbeat"),
      complete: tasks("complete"),
      fail: tasks("fail"),
      restore: tasks("restore"),
    },
    retention: {
      find: retention("find"),
      removeFamilies: retention("removeFamilies"),
      removeLeaves: retention("removeLeaves"),
      clear: retention("clear"),
    },
    ...placementAt(thread),
    // nothing befalls the owner of a file outside of its calls
    own: (worker) => thread.ask(null, "own", [worker]),
    commit: calls("commit"),
    reserveRunIds: calls("reserveRunIds"),
    putVersion: calls("putVersion"),
    getVersion: calls("getVersion"),
    latestVersion: calls("latestVersion"),
    enqueueRun: calls("enqueueRun"),
    accept: calls("accept"),
    reopenRun: calls("reopenRun"),
    getRun: calls("getRun"),
    findByIdempotencyKey: calls("findByIdempotencyKey"),
    listRuns: calls("listRuns"),
    findEnds: calls("findEnds"),
    listSteps: calls("listSteps"),
    listAttempts: calls("listAttempts"),
    listHistory: calls("listHistory"),
    unfinished: calls("unfinished"),
    loadRun: calls("loadRun"),
    changedElsewhere: calls("changedElsewhere"),
    close: () => thread.close(),
  };
}

function waitsAt(thread: LedgerThread): Ledger["waits"] {
  const waits = asking(thread, "waits");
  return {
    now: waits("now"),
    nextDue: waits("nextDue"),
    listWaits: waits("listWaits"),
    turnOf: waits("turnOf"),
    listSignals: waits("listSignals"),
    listChildren: waits("listChildren"),
  };
}

function placementAt(thread: LedgerThread): Pick<Ledger, "shares" | "routes"> {
  const shares = asking(thread, "shares");
  const routes = asking(thread, "routes");
  return {
    shares: { list: shares("list"), get: shares("get"), put: shares("put") },
    routes: { list: routes("list"), put: routes("put"), remove: routes("remove") },
  };
}

type Method<P extends Part | null> = P extends Part ? keyof Ledger[P] : Exclude<keyof Ledger, Part>;

/** What asks the thread for a method, by the name that it has in the ledger. */
const asking =
  <P extends Part | null>(thread: LedgerThread, part: P) =>
  (method: Method<P> & string) =>
  (...args: readonly unknown[]): Promise<never> =>
    thread.ask(part, method, args);
