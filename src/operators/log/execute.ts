import { readInput } from "../fields.ts";
import type { Operator } from "../operator.ts";
import { readLogInput } from "./definition.ts";

export const log: Operator = (input, context) => {
  const { level, message, fields } = readInput("log", readLogInput, input);
  context.log[level](message, fields);
  return null;
};
