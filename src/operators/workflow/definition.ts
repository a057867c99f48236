import type { Json } from "../../model/json.ts";
import type { OperatorDefinition } from "../definition.ts";
import { checkInput, type Fields } from "../fields.ts";

export interface WorkflowInput {
  readonly workflow: string;
  /** Null: the newest. */
  readonly version: string | null;
  readonly input: Json;
  readonly close: "cancel" | "abandon";
}

export const workflowDefinition: OperatorDefinition = {
  name: "workflow",
  description: "Runs another workflow as a child, waits for its end and returns its output.",
  slow: false,
  check: (input) => checkInput(readWorkflowInput, input),
};

export function readWorkflowInput(fields: Fields): WorkflowInput {
  return {
    workflow: fields.name("name", "Name the workflow to run: name: shipping."),
    version: fields.scalar("version") ?? null,
    input: fields.json("input") ?? null,
    close: fields.choice("close", ["cancel", "abandon"], "cancel"),
  };
}
