import type { OperatorDefinition } from "../definition.ts";
import { checkInput, type Deadline, type Fields } from "../fields.ts";
import type { TaskRequest } from "../suspension.ts";

export interface ApprovalInput extends Deadline {
  readonly task: Extract<TaskRequest, { type: "approval" }>;
}

export const approvalDefinition: OperatorDefinition = {
  name: "approval",
  description: "Asks a person to approve or reject, perhaps with a form, and returns the decision.",
  slow: false,
  check: (input) => checkInput(readApprovalInput, input),
  schemas: ["form"],
};

export function readApprovalInput(fields: Fields): ApprovalInput {
  const title = fields.name("title", "Say what is to be decided: title: Order 7 over 1,000 €.");
  const form = fields.object("form");
  return {
    task: {
      type: "approval",
      title,
      description: fields.text("description") ?? null,
      form: fields.has("form") ? form : null,
      assignees: fields.texts("assignees"),
      groups: fields.texts("groups"),
      onReject: fields.choice("onReject", ["fail", "continue"], "fail"),
    },
    ...fields.deadline("expires"),
  };
}
