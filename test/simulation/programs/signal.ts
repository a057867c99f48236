import type { JsonObject } from "../../../src/model/json.ts";
import type { Construct, Garden, Prediction } from "./construct.ts";
import { growLeaf, type Leaf, type LeafEnd, nameIn, ownName, predictLeaf, valueOf, writeWaiting } from "./leaf.ts";

/** A bound on how long a step waits for what comes from outside. */
export interface Bound {
  readonly timeoutMs: number | null;
  readonly onTimeout: "fail" | "continue";
  /** Whether what it waits for comes at all; always, without a bound. */
  readonly isSent: boolean;
}

/** A wait for a named signal. */
interface SignalWait extends Leaf, Bound {
  readonly kind: "signal";
}

export const signal: Construct<SignalWait> = {
  kind: "signal",
  weight: 2,
  atLeast: 1,
  grow: (garden) => ({ ...growLeaf(garden, "signal", "w"), ...growBound(garden) }),
  write: (node, draft, needs) => writeWaiting(node, draft, needs, "wait", { signal: ownName(node.id, node.place), ...boundIn(node) }),
  predict: (node, prediction, before) =>
    predictLeaf(node, prediction, before, { calls: true, failures: 1 }, () => {
      const name = nameIn(node.id, prediction);
      const value = valueOf(name);
      if (node.isSent) prediction.stimuli.push({ kind: "signal", name, value });
      return boundEnd(node, prediction) ?? { ok: true, output: { value } };
    }),
};

export function growBound({ prng }: Garden): Bound {
  const timeoutMs = prng.chance(0.35) ? prng.pick([5, 200, 3_000, 20_000]) : null;
  return {
    timeoutMs,
    onTimeout: prng.pick(["fail", "continue"]),
    isSent: timeoutMs === null || prng.chance(0.6),
  };
}

/** @param name of the field that bounds it */
export function boundIn({ timeoutMs, onTimeout }: Bound, name: "timeout" | "expires" = "timeout"): JsonObject {
  return timeoutMs === null ? {} : { [name]: timeoutMs, onTimeout };
}

/** How it ends when nothing came in time; undefined when something did. */
export function boundEnd({ id, onTimeout }: Leaf & Bound, { seen, prefix }: Prediction): LeafEnd | undefined {
  if (!seen.hasTimedOut(prefix + id)) return undefined;
  return onTimeout === "continue" ? { ok: true, output: { timedOut: true } } : { ok: false, reason: "timeout" };
}
