import { isJsonObject, type Json, type JsonObject } from "../../../src/model/json.ts";
import type { Construct } from "./construct.ts";
import { growLeaf, type Leaf, predictLeaf, writeWaiting } from "./leaf.ts";
import { type Bound, boundEnd, boundIn, growBound } from "./signal.ts";

/** Work for a remote worker. */
interface Work extends Leaf, Bound {
  readonly kind: "task";
  readonly seed: number;
  /** Failures that workers report before one of them can do it. */
  readonly failures: number;
  /** They report that trying again cannot help: only somebody who restores it lets it go on. */
  readonly isHopeless: boolean;
  readonly maxAttempts: number;
  readonly delayMs: number;
  readonly leaseMs: number;
  readonly topic: string;
}

/** What remote workers poll. */
export const TOPICS = ["pack", "print"] as const;
const NOBODY_POLLS = "nobody";

export const task: Construct<Work> = {
  kind: "task",
  weight: 2,
  atLeast: 1,
  since: 2,
  grow: (garden) => {
    const { prng } = garden;
    return {
      ...growLeaf(garden, "task", "t"),
      ...growBound(garden),
      seed: prng.int(100),
      failures: prng.chance(0.4) ? prng.between(1, 3) : 0,
      isHopeless: prng.chance(0.3),
      maxAttempts: prng.between(1, 3),
      delayMs: prng.pick([0, 5, 400, 9_000]),
      leaseMs: prng.pick([50, 1_000, 20_000]),
      topic: prng.pick(TOPICS),
    };
  },
  write: (node, draft, needs) => {
    const { id, seed, failures, isHopeless, maxAttempts, delayMs, leaseMs, topic, isSent } = node;
    draft.tasks.set(draft.prefix + id, { type: "work", failures, isHopeless });
    return writeWaiting(node, draft, needs, "task", {
      topic: isSent ? topic : NOBODY_POLLS,
      payload: { seed },
      retry: { maxAttempts, delay: delayMs },
      lease: leaseMs,
      ...boundIn(node, "expires"),
    });
  },
  predict: (node, prediction, before) =>
    predictLeaf(
      node,
      prediction,
      before,
      { calls: true, failures: 1 },
      () => boundEnd(node, prediction) ?? { ok: true, output: doneWith({ seed: node.seed }) },
    ),
};

/** What a worker makes of its payload. */
export function doneWith(payload: Json): JsonObject {
  const seed = isJsonObject(payload) ? Number(payload["seed"]) : Number.NaN;
  return { value: (seed * 5 + 1) % 997 };
}
