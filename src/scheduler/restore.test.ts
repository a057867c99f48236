import { describe, expect, test } from "vitest";
import { type NamedGraph, shapeOf } from "../../test/scheduler/named-run.ts";
import { decisionKind, decisionStep } from "./decision.ts";
import type { RestoredStep } from "./restore.ts";
import { Scheduler } from "./scheduler.ts";
import { createTopology } from "./topology.ts";

const row = (ordinal: number, status: RestoredStep["status"], selected: readonly number[] | null = null): RestoredStep => ({
  ordinal,
  status,
  selected,
});

function restore(graph: NamedGraph, rows: readonly RestoredStep[], ending: "cancel" | "timeout" | null = null): Scheduler {
  return Scheduler.restore(createTopology(shapeOf(graph)), rows, { ending });
}

function decided(scheduler: Scheduler): readonly (readonly [number, string])[] {
  return scheduler.drain().map((decision) => {
    const kind = decisionKind(decision);
    return [decisionStep(decision), kind.kind === "ready" ? "ready" : `${kind.status} ${kind.reason}`];
  });
}

const FAN = { steps: { a: {}, b: {}, c: {}, d: {} }, edges: ["a > b", "a > c", "b > d", "c > d"] } as const;

describe("restore", () => {
  test("a run without rows is a run that begins", () => {
    expect(decided(restore(FAN, []))).toEqual([[0, "ready"]]);
  });

  test("a step that was ready and has no row is ready again, in declaration order, and a RUNNING one is RUNNING", () => {
    const scheduler = restore({ steps: { a: {}, b: {}, c: {}, d: {} }, edges: ["d > a", "d > c"] }, [
      row(3, "SUCCEEDED"),
      row(1, "RUNNING"),
    ]);
    expect(decided(scheduler)).toEqual([
      [0, "ready"],
      [2, "ready"],
    ]);
    expect(scheduler.statusOf(1)).toBe("RUNNING");
    expect(scheduler.runningCount).toBe(1);
  });

  test("what a switch selected is restored from its row", () => {
    const scheduler = restore({ steps: { route: {}, x: {}, y: {} }, edges: ["route => x", "route => y"] }, [row(0, "SUCCEEDED", [2])]);
    expect(decided(scheduler)).toEqual([
      [1, "SKIPPED branch"],
      [2, "ready"],
    ]);
  });

  test("what the rows imply and do not hold is decided again, through any depth", () => {
    const scheduler = restore(FAN, [row(0, "FAILED")]);
    expect(decided(scheduler)).toEqual([
      [1, "CANCELLED needs_failed"],
      [2, "CANCELLED needs_failed"],
      [3, "CANCELLED needs_failed"],
    ]);
    expect(scheduler.outcome()).toBe("failed");
  });

  test("a failure under stop stops the restored run, a failure with onError continue does not", () => {
    const steps = { a: {}, b: {}, tidy: { join: "settled" } } as const;
    const stopped = restore({ steps, edges: ["b > tidy"], onFailure: "stop" }, [row(0, "FAILED"), row(1, "SUSPENDED")]);
    expect(decided(stopped)).toEqual([
      [1, "CANCELLED run_failed"],
      [2, "ready"],
    ]);
    const continued = restore({ steps: { ...steps, a: { onError: "continue" } }, onFailure: "stop" }, [row(0, "FAILED")]);
    expect(continued.isStopping).toBe(false);
    expect(continued.readySteps()).toEqual([1, 2]);
  });

  test.each([
    ["cancel", "SKIPPED run_cancelled", "CANCELLED run_cancelled", "cancelled"],
    ["timeout", "CANCELLED run_timeout", "CANCELLED run_timeout", "timed_out"],
  ] as const)("a %s that the ledger holds is carried out", (ending, pending, suspended, outcome) => {
    const scheduler = restore({ steps: { a: {}, b: {}, c: {} } }, [row(1, "SUSPENDED"), row(2, "RUNNING")], ending);
    expect(decided(scheduler)).toEqual([
      [0, pending],
      [1, suspended],
    ]);
    scheduler.markCancelled(2);
    expect(scheduler.outcome()).toBe(outcome);
  });

  test.each([
    ["two rows of one step", [row(0, "SUCCEEDED"), row(0, "FAILED")], "step 0 cannot be restored as FAILED: it is SUCCEEDED"],
    ["a step that the graph does not have", [row(7, "RUNNING")], "there is no number 7 among 4"],
    ["a start before its sources had settled", [row(0, "SUCCEEDED"), row(1, "RUNNING"), row(3, "RUNNING")], "step 3 cannot be restored"],
    ["a selection without a control edge", [row(0, "SUCCEEDED", [1])], "step 0 has no switch target 1"],
  ])("%s cannot come from this graph", (_, rows, message) => {
    expect(() => restore(FAN, rows)).toThrow(message);
  });
});
