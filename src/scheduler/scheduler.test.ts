import { describe, expect, test } from "vitest";
import { NamedRun, shapeOf } from "../../test/scheduler/named-run.ts";
import { NO_DECISION, Scheduler } from "./scheduler.ts";
import { createTopology } from "./topology.ts";

const DIAMOND = { steps: { a: {}, b: {}, c: {}, d: {} }, edges: ["a > b", "a > c", "b > d", "c > d"] } as const;

describe("order", () => {
  test("S1-6 steps without dependencies are ready when the run begins, the others count what they wait for", () => {
    const scheduler = new Scheduler(createTopology(shapeOf({ steps: { a: {}, b: {}, c: {} }, edges: ["a > c", "b > c"] })));
    expect(scheduler.readySteps()).toEqual([]);
    scheduler.begin();
    expect(scheduler.readySteps()).toEqual([0, 1]);
    expect(scheduler.counts()).toMatchObject({ pending: 1, ready: 2 });
  });

  test("S1-2 a ready step starts and completes without regard to its siblings: there is no barrier between levels", () => {
    const run = new NamedRun({ steps: { slow: {}, fast: {}, afterFast: {}, last: {} }, edges: ["fast > afterFast", "afterFast > last"] });
    expect(run.decisions()).toEqual(["slow ready", "fast ready"]);
    run.start("slow").succeed("fast");
    expect(run.decisions()).toEqual(["afterFast ready"]);
    run.succeed("afterFast").succeed("last");
    expect(run.statuses()).toBe("slow RUNNING, fast SUCCEEDED, afterFast SUCCEEDED, last SUCCEEDED");
  });

  test("S1-3 S1-15 a fan-in step is ready only with the last of its required sources", () => {
    const run = new NamedRun({ steps: { a: {}, b: {}, c: {}, join: {} }, edges: ["a > join", "b > join", "c > join"] });
    run.decisions();
    run.succeed("b").succeed("a");
    expect(run.decisions()).toEqual([]);
    expect(run.status("join")).toBe("PENDING");
    run.succeed("c");
    expect(run.decisions()).toEqual(["join ready"]);
  });

  test("S1-14 S1-20 steps without an edge between them run at the same time, however many there are", () => {
    const steps = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`s${index}`, {}]));
    const run = new NamedRun({ steps });
    const names = Object.keys(steps);
    expect(run.decisions()).toEqual(names.map((name) => `${name} ready`));
    run.start(...names);
    expect(run.scheduler.runningCount).toBe(1_000);
  });

  test("S0-31 S1-17 what one completion unlocks comes in declaration order, whatever the order of the edges", () => {
    const run = new NamedRun({ steps: { a: {}, z: {}, m: {}, b: {} }, edges: ["a > b", "a > m", "a > z"] });
    run.decisions();
    run.succeed("a");
    expect(run.decisions()).toEqual(["z ready", "m ready", "b ready"]);
  });

  test("S0-20 a sequence runs its steps one after the other", () => {
    const run = new NamedRun({ steps: { a: {}, b: {}, c: {} }, edges: ["a ~> b", "b ~> c"], onFailure: "stop" });
    expect(run.ready()).toEqual(["a"]);
    expect(run.succeed("a").ready()).toEqual(["b"]);
    expect(run.succeed("b").ready()).toEqual(["c"]);
    expect(run.succeed("c").scheduler.outcome()).toBe("succeeded");
  });

  test("order edges wait and never count: a skipped or failed source lets its successor run", () => {
    const run = new NamedRun({ steps: { a: {}, b: {}, c: {}, d: {} }, edges: ["a ~> b", "b ~> c", "c ~> d"] });
    run.skip("a").fail("b").succeed("c");
    expect(run.ready()).toEqual(["d"]);
  });

  test("a chain of a million skipped steps is skipped without a stack", () => {
    const length = 1_000_000;
    const topology = createTopology({
      steps: Array.from({ length }, () => ({ join: "some", onError: "fail" })),
      edges: Array.from({ length: length - 1 }, (_, from) => ({ from, to: from + 1, kind: "data", required: true })),
      onFailure: "isolate",
    });
    const scheduler = new Scheduler(topology);
    scheduler.begin();
    scheduler.markSkipped(0);
    expect(scheduler.isComplete()).toBe(true);
    expect(scheduler.counts().skipped).toBe(length);
  });
});

describe("what a scheduler answers", () => {
  test("S4-13 S4-22 a scheduler is made from the graph alone, and any number of runs share its topology", () => {
    const topology = createTopology(shapeOf(DIAMOND));
    const first = new Scheduler(topology);
    const second = new Scheduler(topology);
    first.begin();
    second.begin();
    first.markRunning(0);
    first.markFailed(0);
    expect(first.isComplete()).toBe(true);
    expect(second.readySteps()).toEqual([0]);
  });

  test("S4-14 S4-23 ready steps are those that may start and have not, in declaration order, several at once", () => {
    const run = new NamedRun(DIAMOND);
    run.succeed("a");
    expect(run.ready()).toEqual(["b", "c"]);
    run.start("b");
    expect(run.ready()).toEqual(["c"]);
  });

  test("S4-15 S4-24 a started step is RUNNING and is not offered again", () => {
    const run = new NamedRun(DIAMOND);
    expect(run.decisions()).toEqual(["a ready"]);
    run.start("a");
    expect(run.status("a")).toBe("RUNNING");
    expect(run.decisions()).toEqual([]);
    expect(() => run.start("a")).toThrow("step 0 cannot be started: it is RUNNING");
  });

  test("S4-16 S4-27 a completed step is SUCCEEDED and unlocks its dependants", () => {
    const run = new NamedRun(DIAMOND).succeed("a");
    expect(run.status("a")).toBe("SUCCEEDED");
    expect(run.ready()).toEqual(["b", "c"]);
  });

  test("S4-17 a failed step ends by its onError", () => {
    const run = new NamedRun({ steps: { a: {}, b: { onError: "skip" }, c: { onError: "continue" } } });
    run.start("a", "b", "c");
    expect(run.scheduler.markFailed(0)).toBe("FAILED");
    expect(run.scheduler.markFailed(1)).toBe("SKIPPED");
    expect(run.scheduler.markFailed(2)).toBe("FAILED");
    expect(run.statuses()).toBe("a FAILED, b SKIPPED, c FAILED");
  });

  test("S4-18 S4-28 a loop over decisions ends when every step has settled, and not before", () => {
    const run = new NamedRun(DIAMOND);
    const seen: number[] = [];
    for (let decision = run.scheduler.next(); decision !== NO_DECISION; decision = run.scheduler.next()) {
      const step = decision >> 3;
      expect(run.scheduler.isComplete()).toBe(false);
      expect(run.scheduler.outcome()).toBeUndefined();
      seen.push(step);
      run.scheduler.markRunning(step);
      run.scheduler.markSucceeded(step);
    }
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(run.scheduler.isComplete()).toBe(true);
    expect(run.scheduler.outcome()).toBe("succeeded");
  });

  test("S4-19 a run is blocked when steps are left and none can ever start, and not while one is ready, running or suspended", () => {
    const run = new NamedRun({ steps: { a: {}, b: {}, c: {} }, edges: ["a > b", "b > c", "c > b"] });
    expect(run.scheduler.isBlocked()).toBe(false);
    run.start("a");
    expect(run.scheduler.isBlocked()).toBe(false);
    run.suspend("a");
    expect(run.scheduler.isBlocked()).toBe(false);
    run.scheduler.markResumed(0);
    run.succeed("a");
    expect(run.scheduler.isBlocked()).toBe(true);
    expect(run.scheduler.isComplete()).toBe(false);
  });

  test("a run that has not begun is not blocked, a graph without steps is complete at once", () => {
    expect(new Scheduler(createTopology(shapeOf(DIAMOND))).isBlocked()).toBe(false);
    const empty = new NamedRun({ steps: {} });
    expect(empty.scheduler.isComplete()).toBe(true);
    expect(empty.scheduler.isBlocked()).toBe(false);
    expect(empty.scheduler.outcome()).toBe("succeeded");
  });

  test("counts name every phase", () => {
    const run = new NamedRun({
      steps: { a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}, h: {}, i: {} },
      edges: ["b > h", "d > i"],
    });
    run.succeed("a").fail("b").skip("c").start("d").suspend("e");
    expect(run.scheduler.counts()).toEqual({
      pending: 1,
      ready: 2,
      running: 1,
      suspended: 1,
      succeeded: 1,
      failed: 1,
      skipped: 1,
      cancelled: 1,
    });
  });

  test("decisions stay in order when more gather than the log has room for", () => {
    const names = Array.from({ length: 100 }, (_, index) => `s${index}`);
    const run = new NamedRun({ steps: Object.fromEntries(names.map((name) => [name, {}])) });
    run.scheduler.cancelRun();
    expect(run.decisions()).toEqual(names.map((name) => `${name} SKIPPED run_cancelled`));
  });
});

describe("facts that cannot be true", () => {
  const run = () => new NamedRun({ steps: { a: {}, b: {}, route: {}, x: {} }, edges: ["a > b", "route => x"] });

  test.each([
    ["a start before its sources", () => run().start("b"), "step 1 cannot be started: it is PENDING"],
    ["a success before a start", () => run().succeed("b"), "step 1 cannot be SUCCEEDED: it is PENDING"],
    ["a second success", () => run().succeed("a").succeed("a"), "step 0 cannot be SUCCEEDED: it is SUCCEEDED"],
    ["a failure after the end", () => run().succeed("a").fail("a"), "step 0 cannot be FAILED: it is SUCCEEDED"],
    ["a skip of a running step", () => run().start("a").skip("a"), "step 0 cannot be SKIPPED: it is RUNNING"],
    ["a suspension of a settled step", () => run().succeed("a").suspend("a"), "step 0 cannot be SUSPENDED: it is SUCCEEDED"],
    ["a resumption of a running step", () => run().start("a").scheduler.markResumed(0), "step 0 cannot be resumed: it is RUNNING"],
    ["a cancel of a step that does not run", () => run().scheduler.markCancelled(0), "step 0 cannot be CANCELLED: it is PENDING"],
    ["a cancel of a step in a run that goes on", () => run().start("a").scheduler.markCancelled(0), "its run goes on"],
    ["a selection that no control edge allows", () => run().succeed("route", "x", "b"), "step 2 has no switch target 1"],
    ["a selection by a step without targets", () => run().succeed("x", "a"), "step 3 cannot be SUCCEEDED: it is PENDING"],
    ["a step that does not exist", () => run().scheduler.statusOf(9), "there is no number 9 among 4"],
    ["a second beginning", () => run().scheduler.begin(), "the run has already begun"],
  ])("%s is refused", (_, tell, message) => {
    expect(tell).toThrow(message);
  });

  test("a refused fact changes nothing", () => {
    const refused = run().start("route");
    const before = refused.statuses();
    expect(() => refused.scheduler.markSucceeded(2, [3, 1])).toThrow("no switch target");
    expect(refused.statuses()).toBe(before);
    expect(refused.succeed("route").status("x")).toBe("SKIPPED");
  });
});
