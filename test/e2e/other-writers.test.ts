import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Operator } from "../../src/index.ts";
import type { Ledger } from "../../src/ledger/port.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { Gate, Harness } from "../../src/testing/harness.ts";

/** SPEC promises 50 ms; the rest is for a busy machine. */
const NOTICED_WITHIN_MS = 500;

let directory = "";
let file = "";
/** What another process has of the ledger: a connection of its own, without owning it. */
let other: Ledger;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "stepwell-writers-"));
  file = join(directory, "ledger.db");
  other = await openSqliteLedger({ file });
});

afterEach(async () => {
  await other.close();
  await rm(directory, { recursive: true });
});

test("S0-29 a cancel that another process writes reaches the running operator at once", async () => {
  const gate = new Gate();
  let abortedAt = 0;
  const obedient: Operator = async (input, context) => {
    context.signal.addEventListener("abort", () => {
      abortedAt = performance.now();
      gate.open();
    });
    await gate.operator(input, context);
    context.signal.throwIfAborted();
  };
  const harness = new Harness(await openSqliteLedger({ file }), { operators: { obedient } });
  const id = await harness.start({ name: "cancelled", steps: [{ uses: "obedient" }, { uses: "obedient" }] });
  await gate.arrivals(1);
  const acceptedAt = performance.now();
  await other.accept({ tenant: "default", publicId: id, kind: "cancel", payload: null, actor: "somebody else" });
  expect((await harness.stepwell.result(id)).status).toBe("CANCELLED");
  expect(abortedAt - acceptedAt).toBeLessThan(NOTICED_WITHIN_MS);
  await expect(other.accept({ tenant: "default", publicId: id, kind: "cancel", payload: null, actor: "late" })).rejects.toMatchObject({
    code: "RUN_FINISHED",
  });
  await harness.stepwell.stop();
});

test("S0-3 a run that another process enqueues is taken up by the engine that owns the ledger", async () => {
  const harness = new Harness(await openSqliteLedger({ file }), { operators: { work: (input) => input } });
  await harness.stepwell.register({
    name: "enqueued",
    steps: { a: { uses: "work", with: { n: "{{ input.n }}" } } },
    output: "{{ steps.a.output }}",
  });
  const version = await other.latestVersion("default", "enqueued");
  const publicId = "00000000-0000-7000-8000-000000000007";
  const enqueuedAt = performance.now();
  await other.enqueueRun({
    publicId,
    tenant: "default",
    versionId: version?.id ?? 0,
    input: '{"n":7}',
    labels: null,
    initiator: "somebody else",
    trigger: "call",
    environment: "test",
    idempotencyKey: null,
    idempotencyHash: null,
    deadlineInMs: null,
    workerGroup: "default",
    admission: null,
  });
  expect(await harness.stepwell.result(publicId)).toMatchObject({ status: "SUCCEEDED", output: { n: 7 } });
  expect(performance.now() - enqueuedAt).toBeLessThan(NOTICED_WITHIN_MS);
  await harness.stepwell.stop();
});
