import type { OperatorDefinition } from "../definition.ts";
import { checkInput, type Deadline, type Fields } from "../fields.ts";
import type { TaskRequest } from "../suspension.ts";

export interface TaskInput extends Deadline {
  readonly task: Extract<TaskRequest, { type: "work" }>;
}

const MAX_ATTEMPTS = 1_000;

export const taskDefinition: OperatorDefinition = {
  name: "task",
  description: "Leaves work on a topic for a remote worker, and returns what the worker completed it with.",
  slow: false,
  check: (input) => checkInput(readTaskInput, input),
};

export function readTaskInput(fields: Fields): TaskInput {
  const topic = fields.name("topic", "Name what workers poll: topic: packing.");
  const retry = fields.within("retry", (inside) => ({
    maxAttempts: inside.integer("maxAttempts", 1, MAX_ATTEMPTS),
    retryDelayMs: inside.duration("delay"),
  }));
  const leaseMs = fields.duration("lease") ?? 60_000;
  if (leaseMs === 0) fields.invalid("lease", "lease is zero, so no worker could keep the work");
  const { maxAttempts = 3, retryDelayMs = 10_000 } = retry ?? {};
  return {
    task: { type: "work", topic, payload: fields.json("payload") ?? null, maxAttempts, retryDelayMs, leaseMs },
    ...fields.deadline("expires"),
  };
}
