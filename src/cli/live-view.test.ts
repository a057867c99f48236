import { createColors } from "picocolors";
import { describe, expect, test } from "vitest";
import type { LifecycleEvent } from "../engine/api.ts";
import { LiveView } from "./live-view.ts";
import type { StepView } from "./step-rows.ts";

const START = 1_000_000;
const run = { id: "r", workflow: "orders", version: null, tenant: "default", steps: [] };
const error = { code: "HTTP_NETWORK", message: "no answer" };
const style = { columns: 80, rows: 20, paint: createColors(false) };

function pending(id: string, uses = "http"): StepView {
  return { id, uses, status: "PENDING", reason: null, attempt: 0, startedAt: null, finishedAt: null, retryAt: null, error: null };
}

function viewOf(ids: readonly string[]): LiveView {
  return new LiveView(
    "orders",
    START,
    ids.map((id) => pending(id)),
  );
}

const started = (step: string, attempt = 1): LifecycleEvent => ({ type: "step.started", run, step, attempt });
const retrying = (step: string, delayMs: number): LifecycleEvent => ({ type: "step.retrying", run, step, attempt: 1, error, delayMs });
const settled = (step: string, status: "SUCCEEDED" | "FAILED", attempt = 1): LifecycleEvent => ({
  type: "step.settled",
  run,
  step,
  attempt,
  status,
  reason: null,
  error: status === "FAILED" ? error : null,
});

describe("the live view", () => {
  test("S0-34 shows each step's mark, id, operator, attempt, duration and error as the events tell them", () => {
    const view = viewOf(["stock", "rates", "capture", "notify"]);
    view.apply(started("stock"), START);
    view.apply(started("rates"), START);
    view.apply(started("capture"), START + 100);
    view.apply(settled("stock", "SUCCEEDED"), START + 400);
    view.apply(settled("rates", "FAILED"), START + 500);
    view.apply(retrying("capture", 2_000), START + 600);
    expect(view.lines({ ...style, now: START + 1_600 })).toStrictEqual([
      "orders  1.6 s  1 of 4 done, 1 waiting, 1 failed",
      "✓  stock    http  400 ms",
      "✗  rates    http  500 ms  HTTP_NETWORK: no answer",
      "↻  capture  http   1.5 s  next in 1.0 s: HTTP_NETWORK: no answer",
      "·  notify   http",
    ]);
    view.apply(started("capture", 2), START + 2_600);
    expect(view.lines({ ...style, now: START + 3_100 })[3]).toBe("▸  capture  http  attempt 2   3.0 s");
    view.apply(settled("capture", "SUCCEEDED", 2), START + 3_200);
    expect(view.lines({ ...style, now: START + 9_000 })[3]).toBe("✓  capture  http  attempt 2   3.1 s");
  });

  test("is never higher or wider than the screen, and keeps what a person must see", () => {
    const ids = Array.from({ length: 5_000 }, (_, index) => `step_number_${index}`);
    const view = viewOf(ids);
    for (const id of ids.slice(0, 3_000)) view.apply(started(id), START);
    for (const id of ids.slice(0, 2_990)) view.apply(settled(id, id === "step_number_7" ? "FAILED" : "SUCCEEDED"), START + 1);
    const lines = view.lines({ ...style, columns: 40, rows: 8, now: START + 60_000 });
    expect(lines).toHaveLength(8);
    expect(lines.every((line) => line.length <= 40)).toBe(true);
    expect(lines[0]).toBe("orders  1 m  2989 of 5000 done, 10 runn…");
    expect(lines[1]).toMatch(/^✗ {2}step_number_7 /);
    expect(lines[2]).toMatch(/^▸ {2}step_number_2990 /);
    expect(lines.at(-1)).toBe("… and 4994 more");
  });

  test("keeps its columns while the steps that it shows change", () => {
    const view = viewOf(["a", "a_much_longer_name", "b", "c"]);
    view.apply(started("a"), START);
    const [, line = ""] = view.lines({ ...style, rows: 3, now: START });
    view.apply(started("a_much_longer_name"), START);
    const [, same = ""] = view.lines({ ...style, rows: 4, now: START });
    expect(line.indexOf("http")).toBe(same.indexOf("http"));
  });

  test("paints for a person, and shows no control character of an error", () => {
    const view = viewOf(["a"]);
    const hostile = { code: "STEP_FAILED", message: "\u001b[2Jgone\r\nbye" };
    view.apply({ type: "step.retrying", run, step: "a", attempt: 1, error: hostile, delayMs: 0 }, START);
    const [, line = ""] = view.lines({ ...style, now: START });
    expect(line).toContain("STEP_FAILED: gone bye");
    const [, painted = ""] = view.lines({ ...style, paint: createColors(true), now: START });
    expect(painted.startsWith("\u001b[33m↻\u001b[39m")).toBe(true);
  });

  test("ignores events of steps that it does not know", () => {
    const view = viewOf(["a"]);
    view.apply(started("elsewhere"), START);
    expect(view.lines({ ...style, now: START })).toStrictEqual(["orders  0 ms  0 of 1 done", "·  a  http"]);
  });
});
