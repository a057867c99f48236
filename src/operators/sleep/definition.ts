import type { OperatorDefinition } from "../definition.ts";
import { checkInput, type Fields } from "../fields.ts";

/** Milliseconds from now, or an instant as ISO 8601 text. */
export type SleepInput = { readonly forMs: number } | { readonly until: string };

/** A date and a time with its offset: without one it would be another instant on every machine. */
const INSTANT =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

export const sleepDefinition: OperatorDefinition = {
  name: "sleep",
  description: "Waits for a time, without a worker, and returns null.",
  slow: false,
  check: (input) => checkInput(readSleepInput, input),
};

export function readSleepInput(fields: Fields): SleepInput {
  const forMs = fields.duration("for");
  const until = fields.text("until");
  fields.oneOf(["for", "until"], "Write for: 5m, or until: 2027-01-01T08:00:00+01:00.");
  if (until === undefined) return { forMs: forMs ?? 0 };
  if (!INSTANT.test(until)) {
    fields.invalid("until", "until is not an instant", "Write ISO 8601 with an offset: 2027-01-01T08:00:00Z or …+01:00.");
  }
  return { until };
}
