import { isScalar } from "../../model/json.ts";
import type { OperatorDefinition } from "../definition.ts";
import { checkInput, type Deadline, type Fields } from "../fields.ts";
import type { AwaitedEvent } from "../suspension.ts";

export interface WaitInput extends Deadline {
  readonly awaited:
    | { readonly kind: "signal"; readonly key: string }
    | { readonly kind: "event"; readonly mode: "any" | "all"; readonly events: readonly AwaitedEvent[] };
}

export const waitDefinition: OperatorDefinition = {
  name: "wait",
  description: "Waits for a signal of the run, or for one or several events, and returns what came.",
  slow: false,
  check: (input) => checkInput(readWaitInput, input),
};

const HINT = "Write signal: paid, or event: order.paid, or events: [{ event: order.paid }].";
const FORMS = ["signal", "event", "events"] as const;

export function readWaitInput(fields: Fields): WaitInput {
  return { awaited: readAwaited(fields, fields.oneOf(FORMS, HINT)), ...fields.deadline("timeout") };
}

function readAwaited(fields: Fields, form: (typeof FORMS)[number] | undefined): WaitInput["awaited"] {
  const mode = fields.choice("mode", ["any", "all"], "any");
  if (form !== "events") fields.refuseWithout("mode", "events");
  if (form !== "event") fields.refuseWithout("where", "event");
  if (form === "event")
    return { kind: "event", mode: "any", events: [{ event: fields.name("event", HINT), where: readWhere(fields), optional: false }] };
  if (form === "events") return { kind: "event", mode, events: readEvents(fields, mode) };
  return { kind: "signal", key: fields.has("signal") ? fields.name("signal", HINT) : "" };
}

function readEvents(fields: Fields, mode: "any" | "all"): readonly AwaitedEvent[] {
  const events = fields.each("events", (event) => ({
    event: event.name("event", HINT),
    where: readWhere(event),
    optional: event.flag("optional"),
  }));
  if (events?.length === 0) fields.invalid("events", "events is empty", HINT);
  else if (mode === "all" && events?.every(({ optional }) => optional) === true) {
    fields.invalid("events", "events are all optional, so there is nothing to wait for", "Leave one without optional: true.");
  }
  return events ?? [];
}

/** Members that must be equal; what is not yet known is left out. */
function readWhere(fields: Fields): AwaitedEvent["where"] {
  const members = Object.entries(fields.object("where"));
  const wrong = members.find(([, value]) => !isScalar(value));
  if (wrong !== undefined) fields.invalid(`where.${wrong[0]}`, `where.${wrong[0]} is not a string, number or boolean`);
  return Object.fromEntries(members.flatMap(([name, value]) => (isScalar(value) ? [[name, value]] : [])));
}
