import { expect, test } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import { LIMITS } from "../model/limits.ts";
import { Harness } from "../testing/harness.ts";

test("S1+6 an output that the ledger cannot hold fails the run, and what its steps did is undone", async () => {
  let undone = 0;
  const text = "x".repeat(LIMITS.payloadBytes / 2);
  const harness = new Harness(openMemoryLedger(), { operators: { act: () => text, undo: () => void undone++ } });
  const outcome = await harness.run({
    name: "large",
    steps: { a: { uses: "act", compensate: { uses: "undo" } } },
    output: ["{{ steps.a.output }}", "{{ steps.a.output }}"],
  });
  expect(outcome).toMatchObject({ status: "FAILED", reason: "output_failed", output: null, error: { code: "VALUE_TOO_LARGE" } });
  expect(undone).toBe(1);
  await harness.stepwell.stop();
});

test("S1+6 a run that was undone for its output is FAILED, also when the output comes out once all is undone", async () => {
  let now = 1_000;
  const harness = new Harness(openMemoryLedger({ clock: { now: () => now } }), {
    operators: { act: () => 1, undo: () => void (now = 9_000) },
  });
  const step = { uses: "act", compensate: { uses: "undo" } };
  const outcome = await harness.run({
    name: "changeable",
    steps: { a: step, b: step },
    output: "{{ $millis() < 9000 ? steps.a.output.missing : 'late' }}",
  });
  expect(outcome).toMatchObject({
    status: "FAILED",
    reason: "output_failed",
    output: null,
    error: { code: "RUN_FAILED", data: { compensation: { a: "SUCCEEDED", b: "SUCCEEDED" } } },
  });
  await harness.stepwell.stop();
});
