import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { threadId } from "node:worker_threads";
import { afterAll, expect, test } from "vitest";
import { operatorContext } from "../../../test/fixtures/operator-context.ts";
import { StepwellError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import type { OperatorContext } from "../operator.ts";
import { Suspension } from "../suspension.ts";
import { createThreadPool } from "./pool.ts";

const MODULE = pathToFileURL(join(import.meta.dirname, "../../../test/fixtures/operators/threaded.ts")).href;
const pool = createThreadPool({ maxThreads: 2, heapMb: 32, graceMs: 50 });
afterAll(() => pool.close());

const run = (exportName: string, input: Json = null, context: OperatorContext = operatorContext(), threads = pool) =>
  threads.run({ url: MODULE, exportName }, input, context);

/** A context whose abort can be asked for, and a promise that resolves with the operator's first log line. */
function abortable() {
  const controller = new AbortController();
  const { promise: logged, resolve } = Promise.withResolvers<void>();
  const { log } = operatorContext();
  return { controller, logged, context: operatorContext({ signal: controller.signal, log: { ...log, info: () => resolve() } }) };
}

const TIMED_OUT = new StepwellError("STEP_TIMEOUT", "the step took longer than 1s", { data: { timeoutMs: 1_000 } });

test("S1-24 an operator in a thread gets the step, the run and the attempt it belongs to", async () => {
  const context = operatorContext({ attempt: 3 });
  const { signal: _signal, log: _log, suspend: _suspend, transaction: _transaction, lines: _lines, ...expected } = context;
  const seen = await run("describeContext", { order: 7 }, context);
  expect(seen).toEqual({ input: { order: 7 }, context: expected, threadId: expect.any(Number) });
  expect(seen).not.toMatchObject({ threadId });
});

test("what an operator logs in a thread arrives in order before its result", async () => {
  const context = operatorContext();
  await run("describeContext", null, context);
  expect(context.lines).toEqual([
    { level: "info", message: "called", fields: { attempt: 1 } },
    { level: "debug", message: "no fields", fields: undefined },
  ]);
});

test("S1-34 a suspension crosses from the thread as what it is", async () => {
  const suspension = await run("waitForSignal", { seen: 2 });
  expect(suspension).toBeInstanceOf(Suspension);
  expect(suspension).toMatchObject({ request: { kind: "signal", key: "paid" }, partial: { seen: 2 }, dueAt: 7 });
});

test("no line is lost, however many a thread writes before it ends", async () => {
  const context = operatorContext();
  await run("logLines", { count: 5_000 }, context);
  expect(context.lines).toHaveLength(5_000);
  expect(context.lines.at(-1)).toMatchObject({ message: "line 5000" });
});

test("S1-18 S1-21 an operator that blocks its thread for 2 s delays nothing here", async () => {
  const blocked = run("block", { ms: 2_000 });
  const end = blocked.then(() => "end");
  let longestGapMs = 0;
  let turns = 0;
  for (let last = performance.now(); (await Promise.race([end, setImmediate("turn")])) === "turn"; turns++) {
    const now = performance.now();
    longestGapMs = Math.max(longestGapMs, now - last);
    last = now;
  }
  expect(await blocked).toBe("blocked 2000 ms");
  expect(turns).toBeGreaterThan(100);
  expect(longestGapMs).toBeLessThan(1_000);
});

test("S1-19 blocking code stays as it is: no callbacks, and the main thread goes on meanwhile", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "thread-")), "released");
  const blocked = run("blockUntilFile", { file });
  writeFileSync(file, "");
  expect(await blocked).toBe("the file is there");
});

test("S1-20 more blocking operators than threads wait for each other and all end", async () => {
  const outputs = await Promise.all(Array.from({ length: 20 }, () => run("describeContext")));
  const threads = new Set(outputs.map((output) => JSON.stringify(output).match(/"threadId":\d+/)?.[0]));
  expect(outputs).toHaveLength(20);
  expect(threads.size).toBeLessThanOrEqual(2);
});

test("a coded error keeps code, message, hint, data and stack", async () => {
  const error = await run("throwCoded").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StepwellError);
  expect(error).toMatchObject({ code: "INPUT_INVALID", message: "the order has no lines", hint: "Add a line.", data: { order: 7 } });
  expect(error).toHaveProperty("stack", expect.stringContaining("throwCoded"));
});

test("any other error keeps its name, code, message and stack", async () => {
  const error = await run("throwPlain").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "TypeError", code: "PRICE_BAD", message: "price is not a number" });
  expect(error).toHaveProperty("stack", expect.stringContaining("throwPlain"));
});

test("whatever is thrown that is no error becomes one", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "thread-")), "text.mjs");
  writeFileSync(file, 'export function fail() { throw "just text"; }');
  const failing = pool.run({ url: pathToFileURL(file).href, exportName: "fail" }, null, operatorContext());
  await expect(failing).rejects.toThrow("just text");
});

test("an output becomes plain JSON in the thread", async () => {
  expect(await run("returnNothing")).toBeNull();
  expect(await run("returnDate")).toEqual({ at: "1970-01-01T00:00:00.000Z" });
  await expect(run("returnBigInt")).rejects.toMatchObject({ code: "VALUE_NOT_JSON", message: expect.stringContaining('step "fetch"') });
});

test("an export that is not there is OPERATORS_INVALID", async () => {
  await expect(run("absent")).rejects.toMatchObject({
    code: "OPERATORS_INVALID",
    message: expect.stringContaining('no function "absent"'),
  });
});

test("an abort reaches the operator's signal with its reason", async () => {
  const { controller, logged, context } = abortable();
  const running = run("waitForAbort", null, context);
  await logged;
  controller.abort(TIMED_OUT);
  await expect(running).rejects.toMatchObject({ code: "STEP_TIMEOUT", data: { timeoutMs: 1_000 } });
  await expect(running).rejects.not.toBe(TIMED_OUT);
});

test("an abort terminates a thread that blocks, and the next step gets another", async () => {
  const { controller, logged, context } = abortable();
  const running = run("blockForever", null, context);
  await logged;
  controller.abort(TIMED_OUT);
  await expect(running).rejects.toBe(TIMED_OUT);
  expect(await run("block", { ms: 1 })).toBe("blocked 1 ms");
});

test("an abort before the thread began, or while it waits for one, ends the step at once", async () => {
  const single = createThreadPool({ maxThreads: 1 });
  const early = run("blockForever", null, operatorContext({ signal: AbortSignal.abort(TIMED_OUT) }), single);
  await expect(early).rejects.toBe(TIMED_OUT);

  const first = abortable();
  const running = run("blockForever", null, first.context, single);
  await first.logged;
  const second = abortable();
  const waiting = run("block", { ms: 1 }, second.context, single);
  second.controller.abort(TIMED_OUT);
  await expect(waiting).rejects.toBe(TIMED_OUT);

  const starting = abortable();
  first.controller.abort(TIMED_OUT);
  await expect(running).rejects.toBe(TIMED_OUT);
  const loading = run("blockForever", null, starting.context, single);
  await setImmediate();
  starting.controller.abort(TIMED_OUT);
  await expect(loading).rejects.toBe(TIMED_OUT);
  await single.close();
});

test.each([
  ["calls process.exit", "exit", "exit"],
  ["runs out of memory", "exhaustMemory", "memory"],
  ["throws outside of its promise", "throwLater", "nobody catches this"],
])("a thread that %s fails that attempt alone, also with others waiting", async (_, exportName, how) => {
  const single = createThreadPool({ maxThreads: 1, heapMb: 32 });
  const broken = run(exportName, null, operatorContext(), single);
  const waiting = Promise.all([run("block", { ms: 1 }, operatorContext(), single), run("block", { ms: 2 }, operatorContext(), single)]);
  await expect(broken).rejects.toMatchObject({ code: "THREAD_FAILED", retryable: true, message: expect.stringContaining(how) });
  expect(await waiting).toEqual(["blocked 1 ms", "blocked 2 ms"]);
  await single.close();
});

test("a thread that breaks between two steps fails neither of them nor this process", async () => {
  const single = createThreadPool({ maxThreads: 1 });
  const folder = mkdtempSync(join(tmpdir(), "thread-"));
  const [go, broken] = [join(folder, "go"), join(folder, "broken")];
  expect(await run("breakAfterwards", { go, broken }, operatorContext(), single)).toBe("done");
  writeFileSync(go, "");
  while (!existsSync(broken)) await setImmediate();
  // Waits for the thread's end, and so for the error that ended it.
  await single.close();
});

test("closing ends running and waiting steps with ENGINE_STOPPED and refuses new ones", async () => {
  const single = createThreadPool({ maxThreads: 1 });
  const { logged, context } = abortable();
  const running = run("blockForever", null, context, single);
  await logged;
  const waiting = run("block", { ms: 1 }, operatorContext(), single);
  const ends = Promise.all([running, waiting].map((step) => expect(step).rejects.toMatchObject({ code: "ENGINE_STOPPED" })));
  await single.close();
  await ends;
  await expect(run("block", { ms: 1 }, operatorContext(), single)).rejects.toMatchObject({ code: "ENGINE_STOPPED" });
});

test("closing a pool that was never used starts nothing", async () => {
  await expect(createThreadPool().close()).resolves.toBeUndefined();
});
