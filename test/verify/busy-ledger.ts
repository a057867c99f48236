import { once } from "node:events";
import { Stepwell } from "../../src/index.ts";
import { openLedger } from "../../src/ledger/url.ts";
import type { Json, JsonObject } from "../../src/model/json.ts";
import type { Operator } from "../../src/operators/operator.ts";

const flaky: Operator = (_input, { attempt }) => {
  if (attempt === 1) throw new Error("not yet");
  return attempt;
};
const fails: Operator = () => {
  throw new Error("out of stock");
};
const echo: Operator<Json> = (input) => input;
/** Is at work until somebody cancels its run. */
const endless: Operator = async (_input, { signal }) => {
  if (!signal.aborted) await once(signal, "abort");
  signal.throwIfAborted();
};
/** A definition. */
type Named = JsonObject & { readonly name: string };

const OPERATORS = { flaky, fails, echo, endless };

const say = (id: string, more: JsonObject = {}): JsonObject => ({ id, uses: "echo", with: { said: id }, ...more });
const signal = (id: string, name: string): JsonObject => ({ id, uses: "wait", with: { signal: name } });

/** What ends by itself. */
const ENDING: readonly Named[] = [
  {
    name: "done",
    steps: {
      first: { uses: "flaky", retry: { strategy: "fixed", maxAttempts: 3, initialDelay: 1 } },
      lines: { foreach: [1, 2, 3], steps: [say("line")], output: "{{ item }}" },
      rounds: { loop: { until: "{{ round >= 1 }}", maxIterations: 3, delay: 1 }, steps: [say("round")] },
      nap: { uses: "sleep", with: { for: 1 }, needs: ["lines", "rounds"] },
    },
  },
  {
    name: "undone",
    steps: [say("reserve", { compensate: { uses: "echo", with: { undo: true } } }), { id: "ship", uses: "fails" }, say("never")],
  },
];

/** What waits, each for something else. */
const WAITING: readonly Named[] = [
  { name: "sleeps", steps: [say("a"), { id: "nap", uses: "sleep", with: { for: "1h" } }] },
  { name: "retries", steps: [{ id: "a", uses: "fails", retry: { strategy: "fixed", maxAttempts: 9, initialDelay: "1h" } }] },
  { name: "listens", steps: [say("a"), signal("told", "tell"), signal("more", "never")] },
  { name: "subscribes", steps: [{ id: "paid", uses: "wait", with: { event: "paid", where: { order: "7" } } }] },
  { name: "asks", steps: [say("a"), { id: "review", uses: "approval", with: { title: "Really?" } }] },
  { name: "works", steps: [{ id: "pack", uses: "task", with: { topic: "packing", payload: 1 } }] },
  { name: "calls", steps: [{ id: "kid", uses: "workflow", with: { name: "kid" } }] },
  { name: "timed", timeout: "2h", steps: [signal("told", "nobody")] },
  { name: "held", steps: [signal("told", "go"), say("after")] },
  { name: "blocked", steps: { lines: { foreach: [1, 2], steps: [signal("ask", "line")] } } },
];
const KID: Named = { name: "kid", steps: [signal("told", "kid")] };
const STOPPED: readonly Named[] = [
  { name: "cancelled", steps: [say("a"), signal("told", "nobody"), say("never")] },
  { name: "aborted", steps: [{ id: "busy", uses: "endless" }] },
];

/**
 * Drives runs of every kind in a ledger, to their ends and into every kind of wait, and leaves it with its engine stopped.
 *
 * @param whileBusy called while the engine is at work and has runs of every kind
 */
export async function fillLedger(url: string, whileBusy: () => Promise<void> = async () => undefined): Promise<void> {
  const stepwell = new Stepwell({ ledger: await openLedger(url), operators: OPERATORS, cancelGraceMs: 1_000 });
  const waiting = new Set<string>();
  const told = Promise.withResolvers<void>();
  let heard: () => void = () => undefined;
  stepwell.listen((event) => {
    if (event.type === "run.suspended") waiting.add(event.run.id);
    if (event.type === "step.started" && event.step === "busy") waiting.add(event.run.id);
    if (event.type === "step.settled" && event.run.workflow === "listens" && event.step === "told") told.resolve();
    heard();
  });
  for (const definition of [...ENDING, KID, ...WAITING, ...STOPPED]) await stepwell.register(definition);
  const start = (name: string): Promise<string> => stepwell.start(name, {}, { idempotencyKey: `key of ${name}` });
  const started = new Map<string, string>();
  for (const { name } of [...ENDING, ...WAITING, ...STOPPED]) started.set(name, await start(name));
  const idOf = (name: string): string => started.get(name) ?? "";
  for (const { name } of ENDING) await stepwell.result(idOf(name));
  const mustWait = [...WAITING, ...STOPPED].map(({ name }) => idOf(name));
  while (!mustWait.every((id) => waiting.has(id))) {
    await new Promise<void>((resolve) => {
      heard = resolve;
    });
  }
  await stepwell.signal(idOf("listens"), "tell", 1, { id: "one" });
  // until then the signal is stored, and the one engine of a file alone knows of it
  await told.promise;
  await stepwell.signal(idOf("listens"), "nobody waits for it", 2);
  await stepwell.publish("paid", { order: "8" }, { id: "kept" });
  await stepwell.pause(idOf("held"), "ann");
  for (const { name } of STOPPED) await stepwell.cancel(idOf(name), "ann");
  for (const { name } of STOPPED) await stepwell.result(idOf(name));
  await whileBusy();
  await stepwell.stop();
  await leaveQueued(url);
}

/** Another process puts a run into the queue while nobody is there to start it. */
async function leaveQueued(url: string): Promise<void> {
  const ledger = await openLedger(url);
  const version = await ledger.latestVersion("default", "done");
  if (version === undefined) throw new Error("nobody registered done");
  await ledger.enqueueRun({
    publicId: "01900000-0000-7000-8000-000000000001",
    tenant: "default",
    versionId: version.id,
    input: "{}",
    labels: null,
    initiator: "test",
    trigger: "test",
    environment: "test",
    idempotencyKey: null,
    idempotencyHash: null,
    deadlineInMs: null,
    workerGroup: "default",
    admission: null,
  });
  await ledger.close();
}
