import type { Construct, Node } from "./construct.ts";

/** Parts one after the other. */
interface Sequence extends Node {
  readonly kind: "sequence";
  readonly parts: readonly Node[];
}

export const sequence: Construct<Sequence> = {
  kind: "sequence",
  weight: 2,
  atLeast: 2,
  grow: (garden, depth) => {
    const parts: Node[] = [];
    for (let left = garden.prng.between(2, 3); left > 0 && garden.left > 0; left--) parts.push(garden.part(depth + 1));
    return { kind: "sequence", parts };
  },
  write: ({ parts }, draft, needs, write) => parts.reduce((before, part) => write(part, draft, before), needs),
  predict: ({ parts }, prediction, before, predict) => parts.reduce((passed, part) => predict(part, prediction, passed), before),
};
