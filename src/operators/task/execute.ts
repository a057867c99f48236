import { readInput } from "../fields.ts";
import type { Operator } from "../operator.ts";
import { readTaskInput } from "./definition.ts";

export const task: Operator = (input, context) => {
  const { task: work, ...deadline } = readInput("task", readTaskInput, input);
  return context.suspend({ kind: "task", task: work, ...deadline });
};
