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
  const nothing = { reason: null, startedAt: null, finishedAt: null, retryAt: null, error: null, waits: null, block: null };
  return { id, uses, status: "PENDING", attempt: 0, ...nothing };
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

  test("S0-34 shows what a step waits for, and until when", () => {
    const view = viewOf(["review", "nap", "kid"]);
    const suspended = { type: "step.suspended", run, attempt: 1 } as const;
    for (const id of ["review", "nap", "kid"]) view.apply(started(id), START);
    view.apply({ ...suspended, step: "review", kind: "task", key: "t", about: "Order 7", dueInMs: null }, START);
    view.apply({ ...suspended, step: "nap", kind: "timer", key: null, about: null, dueInMs: 60_000 }, START);
    view.apply({ ...suspended, step: "kid", kind: "child", key: "c", about: "shipping", dueInMs: null }, START);
    const [head, ...lines] = view.lines({ ...style, now: START + 1_000 });
    expect(head).toBe("orders  1.0 s  0 of 3 done, 3 waiting");
    expect(lines[0]).toBe("☞  review  http  1.0 s  for Order 7");
    expect(lines[1]).toMatch(/^◷ {2}nap {5}http {2}1\.0 s {2}until \d\d:\d\d:\d\d, in 59\.0 s$/);
    expect(lines[2]).toBe("☞  kid     http  1.0 s  for shipping, run c");
    view.apply(settled("review", "SUCCEEDED"), START + 2_000);
    expect(view.lines({ ...style, now: START + 9_000 })[1]).toBe("✓  review  http  2.0 s");
  });

  test("counts items and rounds, shows what waits or failed inside, and what is being undone", () => {
    const view = viewOf(["lines", "poll"]);
    view.apply({ type: "step.started", run, step: "lines", attempt: 1, block: { kind: "foreach", total: 10 } }, START);
    view.apply({ type: "step.started", run, step: "poll", attempt: 1, block: { kind: "loop", total: 5 } }, START);
    view.apply(started("lines[0].x"), START);
    view.apply(settled("lines[0].x", "FAILED"), START);
    view.apply({ type: "item.settled", run, step: "lines[0]", status: "FAILED", error }, START);
    view.apply({ type: "item.settled", run, step: "lines[1]", status: "SUCCEEDED", error: null }, START);
    view.apply({ type: "item.settled", run, step: "lines[2].inner[0]", status: "SUCCEEDED", error: null }, START);
    view.apply({ type: "item.settled", run, step: "poll[0]", status: "SUCCEEDED", error: null }, START);
    const wait = { type: "step.suspended", run, attempt: 1, kind: "signal", about: null, dueInMs: null } as const;
    for (const index of [3, 4, 5]) view.apply({ ...wait, step: `lines[${index}].x`, key: `s${index}` }, START);
    view.apply(settled("lines[3].x", "SUCCEEDED"), START);
    view.apply(started("compensate.lines"), START);
    expect(view.lines({ ...style, now: START }).slice(1)).toStrictEqual([
      "▸  lines             http  0 ms  2/10, 1 failed",
      "✗  lines[0].x                    HTTP_NETWORK: no answer",
      "☞  lines[4].x                    for signal s4",
      "☞  lines[5].x                    for signal s5",
      "▸  poll              http  0 ms  round 2/5",
      "▸  compensate.lines        0 ms",
    ]);
    view.apply(settled("poll", "SUCCEEDED"), START);
    expect(view.lines({ ...style, now: START })[5]).toBe("✓  poll              http  0 ms  1 round");
  });

  test("ignores events of steps that it does not know", () => {
    const view = viewOf(["a"]);
    view.apply(started("elsewhere"), START);
    expect(view.lines({ ...style, now: START })).toStrictEqual(["orders  0 ms  0 of 1 done", "·  a  http"]);
  });
});
