import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Lockstep } from "../../test/scheduler/lockstep.ts";
import { drawFrom, graphOf, type RandomCase, randomCase, selectionOf } from "../../test/scheduler/random-graphs.ts";
import type { GraphShape } from "./topology.ts";

/** Every fact settles, starts, suspends or resumes a step; a sixth of the outcomes suspend, so this is far above what is needed. */
const FACTS_PER_STEP = 60;

const endings = fc.constantFrom("cancel", "timeout", "stop");

function runToEnd(lockstep: Lockstep, { seed, steps, failures }: RandomCase, afterFact: (fact: number) => void): void {
  const draw = drawFrom(seed ^ 0x5bd1e995);
  while (lockstep.step(draw, failures)) {
    afterFact(lockstep.facts);
    expect(lockstep.facts, "the run ends").toBeLessThan(FACTS_PER_STEP * steps + FACTS_PER_STEP);
  }
}

describe("random graphs against the naive model", () => {
  test("S1-1 S1-12 S1-17 every run agrees with the rules after every fact, settles each step once, and ends", () => {
    fc.assert(
      fc.property(randomCase(300), (random) => {
        const lockstep = new Lockstep(graphOf(random));
        runToEnd(lockstep, random, () => {});
        expect(lockstep.scheduler.isComplete()).toBe(true);
      }),
      { numRuns: 8_000 },
    );
  });

  test("a run that is cancelled, timed out or stopped at any moment, once or twice, ends the same way as the rules say", () => {
    fc.assert(
      fc.property(randomCase(120), fc.nat(60), endings, fc.nat(20), endings, (random, moment, ending, pause, secondEnding) => {
        const lockstep = new Lockstep(graphOf(random));
        runToEnd(lockstep, random, (fact) => {
          if (fact === moment) lockstep.end(ending);
          if (fact === moment + pause) lockstep.end(secondEnding);
        });
        expect(lockstep.scheduler.isComplete()).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test("a scheduler restored from the rows of any commit equals the one that was lost, and goes on like it", () => {
    fc.assert(
      fc.property(randomCase(60), fc.nat(80), fc.boolean(), (random, moment, cancels) => {
        const lockstep = new Lockstep(graphOf(random));
        lockstep.restart();
        runToEnd(lockstep, random, (fact) => {
          if (cancels && fact === moment) lockstep.end((["timeout", "cancel", "stop"] as const)[moment % 3] ?? "stop");
          lockstep.restart();
        });
        expect(lockstep.scheduler.isComplete()).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test("under isolate the order of independent facts does not matter for what becomes of each step", () => {
    fc.assert(
      fc.property(randomCase(100, ["isolate"]), fc.integer({ min: 1 }), (random, otherSeed) => {
        const first = settleInOrder(random, random.seed);
        const second = settleInOrder(random, otherSeed);
        expect(second.model.status).toEqual(first.model.status);
        expect(second.model.reason).toEqual(first.model.reason);
        expect(second.scheduler.outcome()).toBe(first.scheduler.outcome());
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("what a failure cancels", () => {
  test("S1-29 under isolate every cancelled step is reached from a failure over data or control edges, and nothing else is", () => {
    fc.assert(
      fc.property(randomCase(150, ["isolate"]), (random) => {
        const { graph, scheduler } = settleInOrder({ ...random, failures: 30 }, random.seed);
        const carries = (status: string, step: number) => status === "CANCELLED" || (status === "FAILED" && fails(graph, step));
        const reached = (step: number) =>
          graph.edges.some(({ from, to, kind }) => to === step && kind !== "order" && carries(scheduler.statusOf(from), from));
        const wrong = graph.steps.flatMap(({ join }, step) => {
          const status = scheduler.statusOf(step);
          const isSafe = join === "settled" || !reached(step);
          return (status === "CANCELLED" && isSafe) || (status === "SUCCEEDED" && !isSafe) ? [`${step} is ${status}`] : [];
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test("S0-23 under stop a failure leaves only running steps and clean-up, and nothing but clean-up starts after it", () => {
    fc.assert(
      fc.property(randomCase(150, ["stop"]), (random) => {
        const lockstep = new Lockstep(graphOf({ ...random, onFailure: "stop" }));
        const { graph, scheduler } = lockstep;
        const isCleanUp = (step: number) => graph.steps[step]?.join === "settled";
        let wasStopping = false;
        let running = new Set<number>();
        runToEnd(lockstep, { ...random, failures: 30 }, () => {
          const runningNow = graph.steps.flatMap((_, step) => (scheduler.statusOf(step) === "RUNNING" ? [step] : []));
          const waiting = lockstep.open().filter((step) => scheduler.statusOf(step) !== "RUNNING");
          const started = runningNow.filter((step) => !running.has(step));
          const goesOn = [...(scheduler.isStopping ? waiting : []), ...(wasStopping ? started : [])];
          expect(goesOn.filter((step) => !isCleanUp(step))).toEqual([]);
          wasStopping = scheduler.isStopping;
          running = new Set(runningNow);
        });
      }),
      { numRuns: 1_000 },
    );
  });
});

function fails(graph: GraphShape, step: number): boolean {
  return graph.steps[step]?.onError === "fail";
}

/** What a step does depends on the step alone; only the order in which open steps go on comes from `orderSeed`. */
function settleInOrder(random: RandomCase, orderSeed: number): Lockstep {
  const lockstep = new Lockstep(graphOf(random));
  const order = drawFrom(orderSeed);
  for (let open = lockstep.open(); open.length > 0; open = lockstep.open()) {
    const step = open[order(open.length)] ?? 0;
    const draw = drawFrom(random.seed + step * 7_919 + 1);
    if (lockstep.model.status[step] === "PENDING" && draw(8) === 0) lockstep.skip(step);
    else if (lockstep.model.status[step] === "PENDING") lockstep.start(step);
    else if (draw(100) < random.failures) lockstep.fail(step);
    else lockstep.succeed(step, selectionOf(lockstep.graph, step, draw));
  }
  return lockstep;
}
