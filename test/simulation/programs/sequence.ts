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
  grow: (garden, depth) => ({ kind: "sequence", parts: garden.parts(garden.prng.between(2, 3), depth + 1) }),
  write: ({ parts }, draft, needs, write) => parts.reduce((before, part) => write(part, draft, before), needs),
  predict: ({ parts }, prediction, before, predict) => parts.reduce((passed, part) => predict(part, prediction, passed), before),
};
