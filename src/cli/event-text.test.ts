import { expect, test } from "vitest";
import type { LifecycleEvent } from "../engine/api.ts";
import { EventText } from "./event-text.ts";

const run = { id: "r", workflow: "orders", version: null, tenant: "default", steps: ["fetch"] };
const at = new Date(2026, 10, 20, 12, 1, 2, 345).getTime();
const error = { code: "STEP_FAILED", message: "no" };
const step = { run, step: "fetch", attempt: 1 };

const CASES: readonly (readonly [LifecycleEvent, string | undefined])[] = [
  [{ type: "step.started", ...step }, "12:01:02.345  fetch  started"],
  [{ type: "step.started", ...step, attempt: 3 }, "12:01:02.345  fetch  started, attempt 3"],
  [{ type: "step.retrying", ...step, error, delayMs: 1_500 }, "12:01:02.345  fetch  attempt 1 failed, next in 1.5 s: STEP_FAILED: no"],
  [{ type: "step.settled", ...step, status: "SKIPPED", reason: "when", error: null }, "12:01:02.345  fetch  skipped  its `when` was false"],
  [{ type: "step.settled", ...step, status: "FAILED", reason: null, error }, "12:01:02.345  fetch  failed  STEP_FAILED: no"],
  [{ type: "step.discarded", ...step }, "12:01:02.345  fetch  attempt 1 came too late and does not count"],
  [{ type: "log", ...step, level: "warn", message: "low\nstock", fields: { left: 2 } }, "12:01:02.345  fetch  warn: low stock left=2"],
  [
    { type: "step.suspended", ...step, kind: "task", key: "t-1", about: "Order 7", dueInMs: null },
    "12:01:02.345  fetch  waits for Order 7 (task t-1)",
  ],
  [
    { type: "step.suspended", ...step, kind: "event", key: "order.paid", about: null, dueInMs: 172_800_000 },
    "12:01:02.345  fetch  waits for event order.paid until 2026-11-22 12:01, in 2 d",
  ],
  [
    { type: "step.suspended", ...step, kind: "timer", key: null, about: null, dueInMs: 1_000 },
    "12:01:02.345  fetch  waits until 12:01:03, in 1.0 s",
  ],
  [{ type: "item.settled", run, step: "lines[3]", status: "SUCCEEDED", error: null }, undefined],
  [{ type: "run.queued", run }, "12:01:02.345  (run)  queued"],
  [{ type: "run.recovered", run }, "12:01:02.345  (run)  goes on"],
  [{ type: "run.suspended", run, reason: "shutdown" }, "12:01:02.345  (run)  suspended: its engine stopped; the next one goes on with it"],
  [{ type: "run.suspended", run, reason: "retry" }, undefined],
  [{ type: "run.ended", run, status: "SUCCEEDED", reason: null, error: null }, "12:01:02.345  (run)  succeeded"],
  [
    { type: "run.ended", run, status: "CANCELLED", reason: "cancelled", error: null },
    "12:01:02.345  (run)  cancelled: somebody cancelled the run",
  ],
  [
    { type: "ledger.stalled", error: { code: "LEDGER_BUSY", message: "locked" }, retryInMs: 500 },
    "12:01:02.345  (run)  the ledger stalls, next try in 500 ms: LEDGER_BUSY: locked",
  ],
  [{ type: "run.started", run }, undefined],
  [{ type: "run.resumed", run }, undefined],
  [{ type: "run.broken", runId: "r", error }, undefined],
  [{ type: "ledger.failed", error }, undefined],
  [{ type: "ledger.owned", epoch: 3 }, undefined],
];

test.each(CASES)("%j as a line", (event, line) => {
  expect(new EventText(["fetch"]).line(event, at)).toBe(line);
});

test("S0-34 a settled step is told with the time that its attempt took", () => {
  const text = new EventText(["fetch", "a_long_name"]);
  text.line({ type: "step.started", ...step }, at);
  expect(text.line({ type: "step.settled", ...step, status: "SUCCEEDED", reason: null, error: null }, at + 1_655)).toBe(
    "12:01:04.000  fetch        succeeded  1.7 s",
  );
});
