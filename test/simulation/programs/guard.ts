import { type Call, growCall, leftOut, predictCall, writeCall } from "./call.ts";
import type { Construct, Node } from "./construct.ts";
import { flag } from "./input.ts";

/** A call with a `when`. */
interface Guard extends Node {
  readonly kind: "guard";
  readonly holds: boolean;
  readonly call: Call;
}

export const guard: Construct<Guard> = {
  kind: "guard",
  weight: 1,
  atLeast: 1,
  grow: (garden) => ({ kind: "guard", holds: garden.prng.chance(0.5), call: growCall(garden) }),
  write: (node, draft, needs) => writeCall(node.call, draft, needs, { when: flag(node.holds, 0) }),
  predict: ({ holds, call }, prediction, before) => (holds ? predictCall : leftOut)(call, prediction, before),
};
