import type { OperatorDefinition } from "../definition.ts";

/** Returns its `with`: a step that only computes, without code. */
export const transformDefinition: OperatorDefinition = {
  name: "transform",
  description: "Returns its `with` after the expressions in it were evaluated.",
  slow: false,
  check: null,
};
