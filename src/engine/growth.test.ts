// What a run costs as it grows is counted, not timed: rows that are read back, and commits.
import { describe, expect, test } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import type { Ledger } from "../ledger/port.ts";
import { Harness, interposed } from "../testing/harness.ts";

/** A ledger that counts what is read back from it. */
function counting(): { readonly ledger: Ledger; readonly rows: () => number } {
  const inner = openMemoryLedger();
  let rows = 0;
  const ledger = interposed(inner, {
    loadRun: async (runId) => {
      const stored = await inner.loadRun(runId);
      rows += stored === undefined ? 0 : 1 + stored.steps.length + stored.waits.length + stored.inbox.length;
      return stored;
    },
  });
  return { ledger, rows: () => rows };
}

async function rowsReadFor(items: number): Promise<number> {
  const { ledger, rows } = counting();
  const { stepwell, start, event } = bound(new Harness(ledger));
  const id = await start(
    {
      name: "asked",
      steps: { each: { foreach: "{{ input.items }}", steps: [{ uses: "wait", with: { signal: "{{ 'go' & $string(index) }}" } }] } },
    },
    { items: Array.from({ length: items }, (_, index) => index) },
  );
  await event((one) => one.type === "run.suspended");
  for (let index = 0; index < items; index++) {
    await stepwell.signal(id, `go${index}`);
    await event((one) => one.type === "step.settled" && one.step === `each[${index}].wait_1`);
  }
  await expect(stepwell.result(id)).resolves.toMatchObject({ status: "SUCCEEDED" });
  await stepwell.stop();
  return rows();
}

function bound(harness: Harness) {
  return { stepwell: harness.stepwell, start: harness.start.bind(harness), event: harness.event.bind(harness) };
}

describe("growth", () => {
  test("answers to the waits of one run, one after the other, read it back once", async () => {
    const [few, many] = [await rowsReadFor(20), await rowsReadFor(80)];
    // each item has the rows of its scope, its step and its wait
    expect(few).toBeLessThan(4 * 20);
    expect(many).toBeLessThan(4 * 80);
  });
});
