import { readInput } from "../fields.ts";
import type { Operator } from "../operator.ts";
import { readSleepInput } from "./definition.ts";

export const sleep: Operator = (input, context) => {
  const due = readInput("sleep", readSleepInput, input);
  return context.suspend({ kind: "timer", deadline: "until" in due ? new Date(due.until) : due.forMs });
};
