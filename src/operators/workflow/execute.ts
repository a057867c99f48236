import { readInput } from "../fields.ts";
import type { Operator } from "../operator.ts";
import { readWorkflowInput } from "./definition.ts";

export const workflow: Operator = (input, context) => {
  const { version, ...child } = readInput("workflow", readWorkflowInput, input);
  return context.suspend({ kind: "child", ...child, ...(version === null ? {} : { version }) });
};
