import { type Body, growBody, predictBody, writeBody } from "./body.ts";
import type { Construct, Prediction, Predictor } from "./construct.ts";
import { growLeaf, type Leaf, type LeafEnd, predictLeaf, writeLeaf } from "./leaf.ts";

interface Item {
  readonly n: number;
  /** Tells it from the other items; items of another foreach may have the same. */
  readonly tag: string;
}

/** A body for each item of a list. */
interface Foreach extends Leaf {
  readonly kind: "foreach";
  readonly items: readonly Item[];
  readonly maxConcurrency: number;
  readonly tolerate: number;
  readonly body: Body;
}

const MANY = 100;

export const foreach: Construct<Foreach> = {
  kind: "foreach",
  weight: 2,
  atLeast: 2,
  grow: (garden, depth) => {
    const { prng } = garden;
    const leaf = growLeaf(garden, "foreach", "f");
    const items = Array.from({ length: prng.pick([0, 1, 2, 3, 4]) }, (_, index) => ({ n: prng.int(10), tag: `i${index}` }));
    return {
      ...leaf,
      items,
      maxConcurrency: prng.pick([1, 1, 2, MANY]),
      tolerate: prng.pick([0, 0, 1, 2]),
      body: growBody(garden, depth, "item"),
    };
  },
  write: (node, draft, needs, write) => {
    const { id, items, maxConcurrency, tolerate, body } = node;
    draft.vars.set(
      id,
      items.map(({ n, tag }) => ({ n, tag })),
    );
    draft.blocks.set(draft.prefix + id, { maxConcurrency });
    const width = maxConcurrency === 1 ? { sequential: true } : maxConcurrency === MANY ? {} : { maxConcurrency };
    return writeLeaf(node, draft, needs, {
      foreach: `{{ vars.${id} }}`,
      ...width,
      ...(tolerate === 0 ? {} : { tolerate }),
      steps: writeBody(body, draft, id, write),
    });
  },
  predict: (node, prediction, before, predict) =>
    predictLeaf(node, prediction, before, { calls: false, failures: 0 }, () => endOf(node, prediction, predict)),
};

function endOf({ id, items, maxConcurrency, tolerate, body }: Foreach, prediction: Prediction, predict: Predictor): LeafEnd {
  let failed = 0;
  const outputs = [];
  for (const [index, { n: plus, tag }] of items.entries()) {
    // one after the other, none begins after one too many has failed
    if (maxConcurrency === 1 && failed > tolerate) break;
    const end = predictBody(body, prediction, { prefix: `${prediction.prefix}${id}[${index}].`, plus, tag }, predict);
    if (end.hasFailed) failed += 1;
    outputs.push(end.hasFailed ? null : end.output);
  }
  if (failed <= tolerate) return { ok: true, output: outputs, ...(failed === 0 ? {} : { reason: "tolerated" as const }) };
  if (maxConcurrency > 1) prediction.loose.add(`${prediction.prefix}${id}[`);
  return { ok: false, reason: null };
}
