import type { Construct } from "./construct.ts";
import { growLeaf, type Leaf, predictLeaf, writeWaiting } from "./leaf.ts";

/** A durable sleep: for a while, or until an instant that may have passed. */
interface Sleep extends Leaf {
  readonly kind: "sleep";
  readonly forMs: number;
  readonly untilMs: number | null;
}

/** Near the beginning of virtual time. */
const SOME_DAY_MS = 1_700_000_000_000;

export const sleep: Construct<Sleep> = {
  kind: "sleep",
  weight: 2,
  atLeast: 1,
  grow: (garden) => {
    const { prng } = garden;
    return {
      ...growLeaf(garden, "sleep", "z"),
      forMs: prng.pick([1, 20, 400, 3_000, 7_000, 30_000, 120_000]),
      untilMs: prng.chance(0.3) ? SOME_DAY_MS + prng.int(20_000) - 1_000 : null,
    };
  },
  write: (node, draft, needs) => {
    const { forMs, untilMs } = node;
    return writeWaiting(node, draft, needs, "sleep", untilMs === null ? { for: forMs } : { until: new Date(untilMs).toISOString() });
  },
  predict: (node, prediction, before) =>
    predictLeaf(node, prediction, before, { calls: true, failures: 0 }, () => ({ ok: true, output: null })),
};
