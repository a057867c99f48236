import type { LifecycleEvent } from "../engine/api.ts";
import type { WaitsFor } from "../engine/explain/explanation.ts";
import { formatDuration } from "../model/duration.ts";
import { dateAndTime, timeOfDay } from "./layout.ts";

type SuspendedEvent = Extract<LifecycleEvent, { type: "step.suspended" }>;

/** What a suspended step waits for, as the views show it. */
export interface WaitView {
  /** Time alone ends it, or somebody else does. */
  readonly by: "time" | "others";
  /** Null for a time. */
  readonly what: string | null;
  /** Milliseconds since the Unix epoch; null: no end is set. */
  readonly until: number | null;
}

/** @param at when it happened, milliseconds since the Unix epoch */
export function waitOfEvent({ kind, key, about, dueInMs }: SuspendedEvent, at: number): WaitView {
  const until = dueInMs === null ? null : at + dueInMs;
  switch (kind) {
    case "timer":
      return { by: "time", what: null, until };
    case "signal":
    case "event":
      return { by: "others", what: `${kind} ${key ?? ""}`, until };
    case "task":
      return { by: "others", what: about ?? `task ${key ?? ""}`, until };
    case "child":
      return { by: "others", what: `${about ?? "a workflow"}, run ${key ?? ""}`, until };
  }
}

/** The same for a step that waited before anybody watched; null for one that does not wait for a time or for others. */
export function waitOfStored(waitsFor: WaitsFor): WaitView | null {
  switch (waitsFor.kind) {
    case "timer":
    case "delay":
      return { by: "time", what: null, until: msOf(waitsFor.until) };
    case "signal":
      return { by: "others", what: `signal ${waitsFor.name}`, until: msOf(waitsFor.until) };
    case "event":
      return { by: "others", what: `event ${waitsFor.events.map(({ event }) => event).join(", ")}`, until: msOf(waitsFor.until) };
    case "task":
      return { by: "others", what: waitsFor.title, until: msOf(waitsFor.until) };
    case "work":
      return { by: "others", what: workText(waitsFor), until: msOf(waitsFor.until) };
    case "child":
      return { by: "others", what: `run ${waitsFor.run}`, until: null };
    default:
      return null;
  }
}

function workText({ topic, status, worker }: Extract<WaitsFor, { kind: "work" }>): string {
  if (status === "DEAD_LETTER") return `dead letter of ${topic}`;
  return status === "CLAIMED" ? `${worker ?? "a worker"} of ${topic}` : `a worker of ${topic}`;
}

function msOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}

export function waitText({ what, until }: WaitView, now: number): string {
  const end = until === null ? [] : [`until ${moment(until, now)}, in ${formatDuration(Math.max(0, until - now))}`];
  return [...(what === null ? [] : [`for ${what}`]), ...end].join(" ");
}

const TODAY_MS = 12 * 3_600_000;

/** The time of day when it is near, the day and the minute when it is not. */
function moment(ms: number, now: number): string {
  return ms - now < TODAY_MS ? timeOfDay(ms).slice(0, 8) : dateAndTime(ms).slice(0, 16);
}
