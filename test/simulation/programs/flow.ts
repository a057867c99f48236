import type { Admission, OnLimit } from "../../../src/model/admission.ts";
import { isJsonObject, type Json, type JsonObject } from "../../../src/model/json.ts";
import type { Prng } from "../time/prng.ts";

/** One limit of a workflow. */
export interface PlannedLimit {
  readonly kind: "concurrency" | "rateLimit" | "singleton";
  /** Among those of its kind. */
  readonly index: number;
  readonly limit: number;
  /** Null for one that does not count beginnings. */
  readonly periodMs: number | null;
  readonly onLimit: OnLimit;
  /** Every `who` of an input has a count of its own. */
  readonly isKeyed: boolean;
}

/** When runs of a workflow may begin. */
export interface PlannedFlow {
  readonly limits: readonly PlannedLimit[];
  /** How much earlier its runs stand. */
  readonly priorityMs: number;
  /** Only those of one `who`. */
  readonly isForOne: boolean;
}

/** A workflow by its name. */
interface Limited {
  readonly name: string;
  readonly flow: PlannedFlow;
}

/** What a run counts under, by a name that the limit has for its key. */
export interface NamedLimit extends PlannedLimit {
  readonly name: string;
}

export const NO_FLOW: PlannedFlow = { limits: [], priorityMs: 0, isForOne: false };
/** Values of the key in inputs. */
const WHO = ["ann", "bob"] as const;
const [ONE] = WHO;
const NOBODY = "nobody";
const KEY = `{{ input.who ?? '${NOBODY}' }}`;

/** Who a run is for. */
export function growWho(prng: Prng): JsonObject {
  return { who: prng.pick(WHO) };
}

/** @param mayBeCut whether a limit may end runs */
export function growFlow(prng: Prng, mayBeCut: boolean): PlannedFlow {
  if (!prng.chance(0.5)) return NO_FLOW;
  const limits: PlannedLimit[] = [];
  if (prng.chance(0.7)) {
    const count = prng.chance(0.3) ? 2 : 1;
    for (let index = 0; index < count; index++) {
      const onLimit = mayBeCut ? prng.pick<OnLimit>(["queue", "queue", "queue", "reject", "cancel-running"]) : "queue";
      const limit = prng.pick([1, 1, 2, 3]);
      limits.push({
        kind: "concurrency",
        index,
        limit,
        periodMs: null,
        onLimit,
        isKeyed: index === 0 ? prng.chance(0.4) : !limits[0]?.isKeyed,
      });
    }
  }
  if (prng.chance(0.3)) {
    const onLimit = mayBeCut && prng.chance(0.25) ? "reject" : "queue";
    const periodMs = prng.pick([40, 700, 6_000]);
    limits.push({ kind: "rateLimit", index: 0, limit: prng.pick([1, 1, 2]), periodMs, onLimit, isKeyed: prng.chance(0.3) });
  }
  if (mayBeCut && prng.chance(0.25)) {
    const onLimit = prng.pick<OnLimit>(["reject", "cancel-running"]);
    limits.push({ kind: "singleton", index: 0, limit: 1, periodMs: null, onLimit, isKeyed: prng.chance(0.4) });
  }
  return { limits, priorityMs: prng.pick([0, 0, 2_000, -60_000]), isForOne: prng.chance(0.5) };
}

export function writeFlow({ limits, priorityMs, isForOne }: PlannedFlow): JsonObject {
  const of = (kind: PlannedLimit["kind"]): readonly PlannedLimit[] => limits.filter((each) => each.kind === kind);
  const concurrency = of("concurrency").map(({ limit, onLimit, isKeyed }) => ({ limit, onLimit, ...keyOf(isKeyed) }));
  const [rate] = of("rateLimit");
  const [singleton] = of("singleton");
  const priority = isForOne ? `{{ (input.who ?? '${NOBODY}') = '${ONE}' ? '${priorityMs}ms' : '0s' }}` : `${priorityMs}ms`;
  return {
    ...(concurrency.length === 0 ? {} : { concurrency }),
    ...(rate === undefined
      ? {}
      : { rateLimit: { limit: rate.limit, per: `${rate.periodMs}ms`, onLimit: rate.onLimit, ...keyOf(rate.isKeyed) } }),
    ...(singleton === undefined ? {} : { singleton: { onConflict: singleton.onLimit, ...keyOf(singleton.isKeyed) } }),
    ...(priorityMs === 0 ? {} : { priority }),
  };
}

const keyOf = (isKeyed: boolean): JsonObject => (isKeyed ? { key: KEY } : {});

/** What a run is under. */
export function limitsOf({ name, flow }: Limited, input: Json): readonly NamedLimit[] {
  return flow.limits.map((limit) => {
    const { kind, index, isKeyed } = limit;
    return { ...limit, name: JSON.stringify(isKeyed ? [name, kind, index, whoOf(input)] : [name, kind, index]) };
  });
}

/** What an engine makes of a start, told without it: JSON text of an `Admission`, or null for one that asks for nothing. */
export function asksFor(program: Limited, input: Json): string | null {
  const { priorityMs, isForOne } = program.flow;
  const admission: Admission = {
    priorityMs: isForOne && whoOf(input) !== ONE ? 0 : priorityMs,
    limiters: limitsOf(program, input).map(({ name: id, limit, periodMs, onLimit, kind }) => ({
      id,
      limit,
      periodMs,
      onLimit,
      holds: kind === "singleton" ? "run" : "activity",
    })),
    gather: null,
  };
  return admission.limiters.length === 0 && admission.priorityMs === 0 ? null : JSON.stringify(admission);
}

function whoOf(input: Json): string {
  const who = isJsonObject(input) ? input["who"] : null;
  return typeof who === "string" ? who : NOBODY;
}
