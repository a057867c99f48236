import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ledger } from "../ledger/port.ts";
import { openLedger } from "../ledger/url.ts";
import { StepwellError } from "../model/errors.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Operator } from "../operators/operator.ts";
import { Harness, interposed, type OpenLedger, survivingMemory } from "../testing/harness.ts";

/** A step of a random workflow: whom it needs among those before it, how it behaves, and what its failure means. */
interface RandomStep {
  readonly needs: readonly number[];
  readonly kind: "fine" | "flaky" | "broken" | "when" | "switch";
  readonly holds: boolean;
  readonly join: "some" | "all" | "settled";
  readonly onError: "fail" | "skip" | "continue";
}

const randomSteps = fc.array(
  fc.record({
    needs: fc.uniqueArray(fc.nat(7), { maxLength: 3 }),
    kind: fc.constantFrom("fine", "fine", "flaky", "broken", "when", "switch"),
    holds: fc.boolean(),
    join: fc.constantFrom("some", "all", "settled"),
    onError: fc.constantFrom("fail", "skip", "continue"),
  }) satisfies fc.Arbitrary<RandomStep>,
  { minLength: 1, maxLength: 8 },
);

function definitionOf(steps: readonly RandomStep[]): JsonObject {
  return { name: "random", steps: Object.fromEntries(steps.flatMap((step, index) => definitionsOf(step, index))) };
}

function definitionsOf({ needs, kind, holds, join, onError }: RandomStep, index: number): readonly (readonly [string, Json])[] {
  const before = [...new Set(needs.filter((need) => need < index).map((need) => `s${need}`))];
  const common = { ...(before.length === 0 ? {} : { needs: before }), join };
  const retry = { strategy: "fixed", maxAttempts: 3, initialDelay: 1 };
  const id = `s${index}`;
  if (kind === "switch") {
    const target = `t${index}`;
    return [
      [id, { ...common, switch: [{ when: holds ? "{{ input.yes }}" : "{{ input.no }}", then: [target] }] }],
      [target, { uses: "fine" }],
    ];
  }
  const when = kind === "when" ? { when: holds ? "{{ input.yes }}" : "{{ input.no }}" } : {};
  return [[id, { ...common, ...when, uses: kind === "when" ? "fine" : kind, onError, ...(kind === "flaky" ? { retry } : {}) }]];
}

/** Operators over all engines of one run; they remember who was called after it had finished. */
class World {
  readonly finished = new Set<string>();
  readonly violations: string[] = [];
  readonly #calls = new Map<string, number>();

  readonly operators: Readonly<Record<string, Operator>> = {
    fine: (_input, { stepId }) => this.#call(stepId),
    flaky: (_input, { stepId }) => {
      if (this.#call(stepId) === 1) throw new Error("not yet");
      return 1;
    },
    broken: (_input, { stepId }) => {
      this.#call(stepId);
      throw new Error("broken");
    },
  };

  /** What the ledger shows now is finished for good. */
  async look(ledger: Ledger, id: string): Promise<void> {
    for (const { path, finishedAt } of await ledger.listSteps("default", id)) if (finishedAt !== null) this.finished.add(path);
  }

  #call(stepId: string): number {
    if (this.finished.has(stepId)) this.violations.push(stepId);
    const calls = (this.#calls.get(stepId) ?? 0) + 1;
    this.#calls.set(stepId, calls);
    return calls;
  }
}

/** A ledger that breaks after `count` commits; the last one is written, and `heard` says whether the engine hears of it. */
function breakingAfter(ledger: Ledger, count: number, heard: boolean): { readonly ledger: Ledger; readonly commits: () => number } {
  let commits = 0;
  const commit: Ledger["commit"] = async (batch) => {
    commits += 1;
    if (commits > count) throw new StepwellError("LEDGER_IO", "the process is dead");
    const outcome = await ledger.commit(batch);
    if (commits === count && !heard) throw new StepwellError("LEDGER_IO", "the process is dead");
    return outcome;
  };
  return { ledger: interposed(ledger, { commit }), commits: () => commits };
}

interface End {
  readonly status: string;
  readonly steps: readonly (readonly [string, string, string | null])[];
  readonly commits: number;
}

async function endOf(harness: Harness, id: string, commits: number): Promise<End> {
  const { status } = await harness.stepwell.result(id);
  const run = await harness.stepwell.get(id);
  await harness.stepwell.stop();
  return { status, commits, steps: (run?.steps ?? []).map((step) => [step.id, step.status, step.error?.code ?? null]) };
}

const input = { yes: true, no: false };

/** Runs with engines that die after `period` commits each (the first after `first`) until the run has ended. */
async function runWithCrashes(
  definition: JsonObject,
  reopen: OpenLedger,
  first: number,
  period: number,
  heard: boolean,
): Promise<[End, World]> {
  const world = new World();
  let id: string | undefined;
  for (let engine = 0; engine < 100; engine++) {
    const real = await reopen();
    const { ledger, commits } = breakingAfter(real, engine === 0 ? first : period, heard);
    const harness = new Harness(ledger, { operators: world.operators });
    try {
      if (id === undefined) {
        await harness.stepwell.register(definition);
        // the insert may be written although its caller never hears of it: the key finds the run again
        id = await harness.stepwell.start("random", input, { idempotencyKey: "one" });
      }
      return [await endOf(harness, id, commits()), world];
    } catch (error) {
      if (!(error instanceof StepwellError) || error.code !== "LEDGER_IO") throw error;
      const [row] = (await real.listRuns({ tenant: "default", limit: 1 })).runs;
      id = row?.publicId;
      if (id !== undefined) await world.look(real, id);
      await harness.stepwell.stop();
    }
  }
  throw new Error("a hundred engines did not end the run");
}

/** Every crash after which the run did not end as it would have without it, or repeated a finished step. */
async function differences(steps: readonly RandomStep[], open: () => OpenLedger): Promise<readonly unknown[]> {
  const definition = definitionOf(steps);
  const [whole] = await runWithCrashes(definition, open(), Number.POSITIVE_INFINITY, 0, true);
  const crashes = Array.from({ length: whole.commits }, (_, index) => [index + 1, Number.POSITIVE_INFINITY] as const);
  const found: unknown[] = [];
  for (const [first, period] of [...crashes, [2, 2] as const, [3, 3] as const]) {
    for (const heard of [true, false]) {
      const [{ status, steps: ends }, { violations }] = await runWithCrashes(definition, open(), first, heard ? period : period + 1, heard);
      const isSame = status === whole.status && isDeepStrictEqual(ends, whole.steps) && violations.length === 0;
      if (!isSame) found.push({ first, period, heard, violations, status, ends, whole });
    }
  }
  return found;
}

describe("a crash after every commit", () => {
  test("S0-14 S1-41 random workflows end as they would have without it, and no finished step runs again", async () => {
    await fc.assert(
      fc.asyncProperty(randomSteps, async (steps) => {
        expect(await differences(steps, survivingMemory)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("S0-14 a workflow with every kind of step does the same on a SQLite file", async () => {
    const directory = await mkdtemp(joinPath(tmpdir(), "stepwell-crashes-"));
    let files = 0;
    const open = (): OpenLedger => {
      const file = joinPath(directory, `ledger-${++files}.db`);
      return () => openLedger(file);
    };
    const common = { holds: true, join: "some", onError: "continue" } as const;
    const steps: readonly RandomStep[] = [
      { ...common, kind: "flaky", needs: [] },
      { ...common, kind: "broken", needs: [] },
      { ...common, kind: "switch", needs: [0], holds: false },
      { ...common, kind: "when", needs: [1] },
      { ...common, kind: "fine", needs: [2, 3], join: "settled" },
    ];
    expect(await differences(steps, open)).toEqual([]);
    await rm(directory, { recursive: true });
  });
});
