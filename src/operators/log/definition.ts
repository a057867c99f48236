import type { JsonObject } from "../../model/json.ts";
import type { OperatorDefinition } from "../definition.ts";
import { checkInput, type Fields } from "../fields.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

export interface LogInput {
  readonly level: (typeof LEVELS)[number];
  readonly message: string;
  readonly fields: JsonObject;
}

export const logDefinition: OperatorDefinition = {
  name: "log",
  description: "Writes one line to the run's log and returns null.",
  slow: false,
  check: (input) => checkInput(readLogInput, input),
};

export function readLogInput(fields: Fields): LogInput {
  fields.missing("message", "Say what happened, for example message: stored the order.");
  return {
    level: fields.choice("level", LEVELS, "info"),
    message: fields.scalar("message") ?? "",
    fields: fields.object("fields"),
  };
}
