import type { JsonObject } from "../../../src/model/json.ts";
import { type Body, growBody, predictBody, writeBody } from "./body.ts";
import type { Construct, Prediction, Predictor } from "./construct.ts";
import { growLeaf, type Leaf, type LeafEnd, predictLeaf, writeLeaf } from "./leaf.ts";

/** A body, round after round. */
interface Loop extends Leaf {
  readonly kind: "loop";
  /** Ends it after a round whose first call gives a multiple of this; null: `rounds` is asked before each. */
  readonly until: number | null;
  readonly rounds: number;
  readonly carries: boolean;
  readonly start: number;
  readonly maxIterations: number;
  readonly delayMs: number;
  readonly exhausted: "fail" | "succeed";
  readonly body: Body;
}

export const loop: Construct<Loop> = {
  kind: "loop",
  weight: 2,
  atLeast: 2,
  grow: (garden, depth) => {
    const { prng } = garden;
    const leaf = growLeaf(garden, "loop", "l");
    return {
      ...leaf,
      until: prng.chance(0.6) ? prng.between(2, 4) : null,
      rounds: prng.int(4),
      carries: prng.chance(0.7),
      start: prng.int(10),
      maxIterations: prng.between(1, 4),
      delayMs: prng.pick([0, 0, 5, 300, 9_000]),
      exhausted: prng.pick(["fail", "succeed"]),
      body: growBody(garden, depth, "round"),
    };
  },
  write: (node, draft, needs, write) => {
    const { id, until, rounds, carries, start, maxIterations, delayMs, exhausted, body } = node;
    const value = `steps.${body.first.id}.output.value`;
    const rule: JsonObject = {
      ...(until === null ? { while: `{{ round < ${rounds} }}` } : { until: `{{ ${value} % ${until} = 0 }}` }),
      ...(carries ? { carry: { value: `{{ ${value} }}` } } : {}),
      ...(delayMs === 0 ? {} : { delay: delayMs }),
      maxIterations,
      exhausted,
    };
    return writeLeaf(node, draft, needs, { loop: rule, with: { value: start }, steps: writeBody(body, draft, id, write) });
  },
  predict: (node, prediction, before, predict) =>
    predictLeaf(node, prediction, before, { calls: false, failures: 0 }, () => endOf(node, prediction, predict)),
};

function endOf(node: Loop, prediction: Prediction, predict: Predictor): LeafEnd {
  const { id, until, rounds, carries, start, maxIterations, exhausted, body } = node;
  let output: JsonObject | null = null;
  let carry = start;
  for (let round = 0; round < maxIterations; round++) {
    if (until === null && round >= rounds) return { ok: true, output };
    const terms = { prefix: `${prediction.prefix}${id}[${round}].`, plus: carry + round, tag: String(round) };
    const end = predictBody(body, prediction, terms, predict);
    // it fails with the error of whichever step failed first
    if (end.hasFailed) return { ok: false, reason: "any" };
    output = end.output;
    if (until !== null && end.first % until === 0) return { ok: true, output };
    if (carries) carry = end.first;
  }
  return exhausted === "fail" ? { ok: false, reason: null } : { ok: true, output, reason: "exhausted" };
}
