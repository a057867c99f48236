import { readInput } from "../fields.ts";
import type { Operator } from "../operator.ts";
import { readWaitInput } from "./definition.ts";

export const wait: Operator = (input, context) => {
  const { awaited, ...deadline } = readInput("wait", readWaitInput, input);
  return context.suspend({ ...awaited, ...deadline });
};
