import { describe, expect, test } from "vitest";
import { NamedRun } from "../../test/scheduler/named-run.ts";

describe("switches", () => {
  const route = {
    steps: { route: {}, review: {}, auto: {}, reviewed: {} },
    edges: ["route => review", "route => auto", "review > reviewed"],
  };

  test("S1-11 S1-16 only the selected target runs, the others are SKIPPED and say so, and so is what needs them", () => {
    const run = new NamedRun(route);
    run.decisions();
    run.succeed("route", "auto");
    expect(run.decisions()).toEqual(["review SKIPPED branch", "auto ready", "reviewed SKIPPED needs_skipped"]);
  });

  test("S1-31 a finished run tells what ran from what could have run", () => {
    const run = new NamedRun(route).succeed("route", "auto").succeed("auto");
    expect(run.statuses()).toBe("route SUCCEEDED, review SKIPPED, auto SUCCEEDED, reviewed SKIPPED");
    expect(run.scheduler.outcome()).toBe("succeeded");
  });

  test("an inclusive switch starts every target that it selected, once, also when it names one twice", () => {
    const run = new NamedRun(route);
    run.decisions();
    run.succeed("route", "review", "auto", "review");
    expect(run.decisions()).toEqual(["review ready", "auto ready"]);
  });

  test("a shared target waits for all its switches and runs if one selected it", () => {
    const run = new NamedRun({ steps: { one: {}, two: {}, x: { join: "all" } }, edges: ["one => x", "two => x"] });
    run.succeed("one", "x");
    expect(run.ready()).toEqual(["two"]);
    run.succeed("two");
    expect(run.ready()).toEqual(["x"]);
  });

  test("a nested switch that is not selected selects nothing", () => {
    const run = new NamedRun({ steps: { outer: {}, inner: {}, x: { join: "settled" } }, edges: ["outer => inner", "inner => x"] });
    run.decisions();
    run.succeed("outer");
    expect(run.decisions()).toEqual(["inner SKIPPED branch", "x SKIPPED branch"]);
  });

  test("a selected target is still subject to its data", () => {
    const run = new NamedRun({ steps: { data: {}, route: {}, x: {} }, edges: ["data > x", "route => x"] });
    run.decisions();
    run.skip("data").succeed("route", "x");
    expect(run.decisions()).toEqual(["x SKIPPED needs_skipped"]);
  });

  test("an unselected target is SKIPPED even if its data failed", () => {
    const run = new NamedRun({ steps: { data: {}, route: {}, x: {} }, edges: ["data > x", "route => x"] });
    run.decisions();
    run.fail("data").succeed("route");
    expect(run.decisions()).toEqual(["x SKIPPED branch"]);
  });

  test.each([
    ["fail", "some", "x CANCELLED needs_failed"],
    ["fail", "all", "x CANCELLED needs_failed"],
    ["fail", "settled", "x ready"],
    ["continue", "some", "x ready"],
    ["skip", "some", "x ready"],
  ] as const)("beside a selection, a switch that failed with onError %s makes a target with join %s: %s", (onError, join, decision) => {
    const run = new NamedRun({ steps: { one: {}, two: { onError }, x: { join } }, edges: ["one => x", "two => x"] });
    run.decisions();
    run.succeed("one", "x").fail("two");
    expect(run.decisions()).toEqual([decision]);
  });

  test.each([
    ["fail", "some", "x CANCELLED needs_failed"],
    ["fail", "settled", "x SKIPPED branch"],
    ["continue", "some", "x SKIPPED branch"],
    ["skip", "some", "x SKIPPED branch"],
  ] as const)("alone, a switch that failed with onError %s makes a target with join %s: %s", (onError, join, decision) => {
    const run = new NamedRun({ steps: { route: { onError }, x: { join } }, edges: ["route => x"] });
    run.decisions();
    run.fail("route");
    expect(run.decisions()).toEqual([decision]);
  });
});

describe("joins", () => {
  /** What becomes of `x`, which needs a, b and c (c by an optional reference), after they ended so. */
  function fate(join: "some" | "all" | "settled", ends: string): string | undefined {
    const onError = (end: string | undefined) => (end === "C" ? "continue" : "fail");
    const names = ["a", "b", "c"];
    const run = new NamedRun({
      steps: { a: { onError: onError(ends[0]) }, b: { onError: onError(ends[1]) }, c: { onError: onError(ends[2]) }, x: { join } },
      edges: ["a > x", "b ?> x", "c ?> x"],
    });
    run.decisions();
    names.forEach((name, index) => {
      if (ends[index] === "S") run.succeed(name);
      else if (ends[index] === "K") run.skip(name);
      else run.fail(name);
    });
    return run.decisions()[0];
  }

  test.each([
    ["SSS", "x ready", "x ready"],
    ["SKK", "x ready", "x SKIPPED needs_skipped"],
    ["CKK", "x ready", "x SKIPPED needs_skipped"],
    ["CCC", "x ready", "x ready"],
    ["KSS", "x SKIPPED needs_skipped", "x SKIPPED needs_skipped"],
    ["KKK", "x SKIPPED needs_skipped", "x SKIPPED needs_skipped"],
    ["SSF", "x CANCELLED needs_failed", "x CANCELLED needs_failed"],
    ["KKF", "x CANCELLED needs_failed", "x CANCELLED needs_failed"],
  ])("S1-15 S1-25 after %s a step with join some is decided: %s, with all: %s, with settled always ready", (ends, some, all) => {
    expect(fate("some", ends)).toBe(some);
    expect(fate("all", ends)).toBe(all);
    expect(fate("settled", ends)).toBe("x ready");
  });

  test("optional data that is skipped altogether skips a step with join some", () => {
    const run = new NamedRun({ steps: { a: {}, b: {}, x: {} }, edges: ["a ?> x", "b ?> x"] });
    run.decisions();
    run.skip("a").skip("b");
    expect(run.decisions()).toEqual(["x SKIPPED needs_skipped"]);
  });
});

describe("failure", () => {
  test("S1-25 S1-29 under isolate a failure cancels what depends on it and nothing else", () => {
    const run = new NamedRun({
      steps: { bad: {}, needs: {}, deeper: {}, other: {}, afterOther: {} },
      edges: ["bad > needs", "needs > deeper", "other > afterOther"],
    });
    run.decisions();
    run.start("other").fail("bad");
    expect(run.decisions()).toEqual(["needs CANCELLED needs_failed", "deeper CANCELLED needs_failed"]);
    run.succeed("other").succeed("afterOther");
    expect(run.statuses()).toBe("bad FAILED, needs CANCELLED, deeper CANCELLED, other SUCCEEDED, afterOther SUCCEEDED");
    expect(run.scheduler.outcome()).toBe("failed");
  });

  test("S0-23 S1-12 under stop no later step runs: what is pending, ready or suspended is cancelled at once", () => {
    const run = new NamedRun({
      steps: { bad: {}, running: {}, ready: {}, suspended: {}, next: {}, after: {} },
      edges: ["bad > next", "running > after"],
      onFailure: "stop",
    });
    run.decisions();
    run.start("running").suspend("suspended").fail("bad");
    const cancelled = ["ready", "suspended", "next", "after"].map((name) => `${name} CANCELLED run_failed`);
    expect(run.decisions()).toEqual(cancelled);
    expect(run.status("running")).toBe("RUNNING");
    run.succeed("running");
    expect(run.decisions()).toEqual([]);
    expect(run.scheduler.outcome()).toBe("failed");
  });

  test("under stop a clean-up step runs once what it waits for has settled, also after a failure of its own kind", () => {
    const run = new NamedRun({
      steps: { bad: {}, running: {}, next: {}, tidy: { join: "settled" }, close: { join: "settled" } },
      edges: ["bad > next", "next > tidy", "running > tidy", "tidy > close"],
      onFailure: "stop",
    });
    run.decisions();
    run.start("running").fail("bad");
    expect(run.decisions()).toEqual(["next CANCELLED run_failed"]);
    run.succeed("running");
    expect(run.decisions()).toEqual(["tidy ready"]);
    run.fail("tidy");
    expect(run.decisions()).toEqual(["close ready"]);
    run.succeed("close");
    expect(run.scheduler.outcome()).toBe("failed");
  });

  test("under stop a clean-up step that waits for its retry keeps waiting", () => {
    const run = new NamedRun({ steps: { bad: {}, tidy: { join: "settled" } }, onFailure: "stop" });
    run.suspend("tidy").fail("bad");
    expect(run.status("tidy")).toBe("SUSPENDED");
    run.scheduler.markResumed(1);
    run.suspend("tidy");
    expect(run.status("tidy")).toBe("SUSPENDED");
  });

  test("under stop a clean-up step that a switch did not select is SKIPPED as always", () => {
    const run = new NamedRun({ steps: { bad: {}, route: {}, tidy: { join: "settled" } }, edges: ["route => tidy"], onFailure: "stop" });
    run.decisions();
    run.fail("bad");
    expect(run.decisions()).toEqual(["route CANCELLED run_failed", "tidy SKIPPED branch"]);
  });

  test.each(["skip", "continue"] as const)("under stop a failure with onError %s stops nothing", (onError) => {
    const run = new NamedRun({ steps: { a: { onError }, b: {} }, onFailure: "stop" });
    run.fail("a");
    expect(run.scheduler.isStopping).toBe(false);
    expect(run.ready()).toEqual(["b"]);
    run.succeed("b");
    expect(run.scheduler.outcome()).toBe("succeeded");
  });

  test("a second failure of a stopped run is recorded", () => {
    const run = new NamedRun({ steps: { a: {}, b: {} }, onFailure: "stop" });
    run.start("b").fail("a").fail("b");
    expect(run.statuses()).toBe("a FAILED, b FAILED");
  });

  test("a step that would wait in a stopped run is cancelled instead, and so is what needs it", () => {
    const run = new NamedRun({
      steps: { bad: {}, running: {}, tidy: { join: "settled" } },
      edges: ["running > tidy"],
      onFailure: "stop",
    });
    run.start("running").fail("bad");
    run.decisions();
    run.suspend("running");
    expect(run.decisions()).toEqual(["running CANCELLED run_failed", "tidy ready"]);
    expect(run.scheduler.isStopping).toBe(true);
  });
});

describe("the end from outside", () => {
  const graph = {
    steps: { pending: { join: "settled" }, ready: {}, running: {}, suspended: {} },
    edges: ["running > pending"],
    onFailure: "stop",
  } as const;

  test("a cancel skips what has not started, clean-up too, cancels what waits and leaves what runs", () => {
    const run = new NamedRun(graph);
    run.start("running").suspend("suspended");
    run.decisions();
    run.scheduler.cancelRun();
    expect(run.scheduler.ending).toBe("cancel");
    expect(run.decisions()).toEqual(["pending SKIPPED run_cancelled", "ready SKIPPED run_cancelled", "suspended CANCELLED run_cancelled"]);
    expect(run.status("running")).toBe("RUNNING");
    run.scheduler.markCancelled(run.step("running"));
    expect(run.decisions()).toEqual([]);
    expect(run.scheduler.outcome()).toBe("cancelled");
  });

  test("a timeout cancels what has not started and what waits", () => {
    const run = new NamedRun(graph);
    run.start("running").suspend("suspended");
    run.decisions();
    run.scheduler.timeOutRun();
    expect(run.decisions()).toEqual(["pending", "ready", "suspended"].map((name) => `${name} CANCELLED run_timeout`));
    run.fail("running");
    expect(run.scheduler.outcome()).toBe("timed_out");
  });

  test("a READY that was not taken before the cancel is not given any more", () => {
    const run = new NamedRun({ steps: { a: {} } });
    run.scheduler.cancelRun();
    expect(run.decisions()).toEqual(["a SKIPPED run_cancelled"]);
    expect(run.scheduler.isReady(0)).toBe(false);
  });

  test("a step that would wait after a cancel is cancelled", () => {
    const run = new NamedRun({ steps: { a: {} } });
    run.start("a").scheduler.cancelRun();
    run.decisions();
    run.suspend("a");
    expect(run.decisions()).toEqual(["a CANCELLED run_cancelled"]);
  });

  test("a cancel beats a failure and a timeout, also when every step has settled; nothing beats a cancel", () => {
    const run = new NamedRun({ steps: { a: {} } });
    run.fail("a");
    run.scheduler.timeOutRun();
    expect(run.scheduler.outcome()).toBe("timed_out");
    run.scheduler.cancelRun();
    expect(run.scheduler.outcome()).toBe("cancelled");
    run.scheduler.timeOutRun();
    expect(run.scheduler.outcome()).toBe("cancelled");
  });
});
