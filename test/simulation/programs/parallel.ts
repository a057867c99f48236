import { type Call, growCall, predictCall, writeCall } from "./call.ts";
import type { Construct, Node } from "./construct.ts";

/** Branches side by side, and a call that joins them. */
interface Parallel extends Node {
  readonly kind: "parallel";
  readonly branches: readonly Node[];
  readonly join: Call;
}

export const parallel: Construct<Parallel> = {
  kind: "parallel",
  weight: 2,
  atLeast: 3,
  grow: (garden, depth) => {
    const join = growCall(garden);
    return { kind: "parallel", branches: garden.parts(garden.prng.between(2, 4), depth + 1), join };
  },
  write: ({ branches, join }, draft, needs, write) =>
    writeCall(
      join,
      draft,
      branches.flatMap((branch) => write(branch, draft, needs)),
    ),
  predict: ({ branches, join }, prediction, before, predict) =>
    predictCall(
      join,
      prediction,
      branches.flatMap((branch) => predict(branch, prediction, before)),
    ),
};
