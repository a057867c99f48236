import { readInput } from "../fields.ts";
import type { Operator } from "../operator.ts";
import { readApprovalInput } from "./definition.ts";

export const approval: Operator = (input, context) => {
  const { task, ...deadline } = readInput("approval", readApprovalInput, input);
  return context.suspend({ kind: "task", task, ...deadline });
};
