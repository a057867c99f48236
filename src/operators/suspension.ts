import { parseDuration } from "../model/duration.ts";
import { StepwellError } from "../model/errors.ts";
import { type Json, type JsonObject, toJson } from "../model/json.ts";

/** What a suspended step waits for, and what bounds the wait. */
export type SuspendRequest = SuspendTerms & Awaited;

interface SuspendTerms {
  /** Kept with the step while it waits. */
  readonly partial?: Json;
  /**
   * Bounds the wait: a duration (text or milliseconds, from when the suspension is stored) or an instant. When it passes, the step fails
   * with `WAIT_TIMEOUT` or, with `onTimeout: continue`, succeeds with `{ timedOut: true }`, unless the operator has `resume`.
   */
  readonly deadline?: string | number | Date;
  readonly onTimeout?: "fail" | "continue";
}

type Awaited =
  /** Ends at its deadline, with the partial output as payload. */
  | { readonly kind: "timer"; readonly key?: string }
  /** A named signal of this run. */
  | { readonly kind: "signal"; readonly key: string }
  /** Events of the tenant: any one of them, or all that are not optional. */
  | { readonly kind: "event"; readonly mode: "any" | "all"; readonly events: readonly AwaitedEvent[] }
  /** A decision of a person, or the work of a remote worker. */
  | { readonly kind: "task"; readonly task: TaskRequest }
  /** The end of a child run, which is started with the suspension. */
  | {
      readonly kind: "child";
      readonly workflow: string;
      readonly version?: string;
      readonly input?: Json;
      /** What becomes of the child when this run ends first. Default `cancel`. */
      readonly close?: "cancel" | "abandon";
    };

export interface AwaitedEvent {
  readonly event: string;
  /** Top-level members of the event's data that must be equal. */
  readonly where: Readonly<Record<string, string | number | boolean>>;
  /** With `mode: all` it is not waited for, only kept when it comes. */
  readonly optional: boolean;
}

export type TaskRequest =
  | {
      readonly type: "approval";
      readonly title: string;
      readonly description: string | null;
      /** JSON Schema 2020-12 of what is filled in. */
      readonly form: JsonObject | null;
      /** Who may decide; nobody named: everybody. */
      readonly assignees: readonly string[];
      readonly groups: readonly string[];
      readonly onReject: "fail" | "continue";
    }
  | {
      readonly type: "work";
      readonly topic: string;
      readonly payload: Json;
      readonly maxAttempts: number;
      readonly retryDelayMs: number;
      readonly leaseMs: number;
    };

/** The outcome "not yet" of an operator, as data. A class, so that it is told apart from a result. */
export class Suspension {
  readonly request: SuspendRequest;
  /** Plain JSON; null without one. */
  readonly partial: Json;
  /** Milliseconds from when it is stored; null: `dueAt` or no deadline. */
  readonly dueInMs: number | null;
  /** Milliseconds since the Unix epoch. */
  readonly dueAt: number | null;
  readonly onTimeout: "fail" | "continue";

  /** @throws StepwellError `SUSPENSION_INVALID`, `DURATION_INVALID`, `VALUE_NOT_JSON` */
  constructor(request: SuspendRequest) {
    const { deadline } = request;
    this.request = request;
    this.partial = toJson(request.partial, "the partial output of a suspension");
    this.dueInMs = typeof deadline === "string" || typeof deadline === "number" ? parseDuration(deadline) : null;
    this.dueAt = typeof deadline === "object" ? instantOf(deadline) : null;
    this.onTimeout = request.onTimeout ?? "fail";
    const fault = faultOf(request);
    if (fault !== undefined) throw invalid(fault);
  }
}

function instantOf(deadline: Date): number {
  const ms = deadline.getTime();
  if (Number.isNaN(ms)) throw invalid("its deadline is not a date");
  return ms;
}

/** What types do not see, or what an operator in plain JavaScript got wrong. */
function faultOf(request: SuspendRequest): string | undefined {
  switch (request.kind) {
    case "timer":
      return request.deadline === undefined ? "a timer has a deadline" : undefined;
    case "signal":
      return isName(request.key) ? undefined : "a signal has a key, which is its name";
    case "event":
      return request.events.length > 0 && request.events.every(({ event }) => isName(event)) ? undefined : "it names no event";
    case "task":
      return isName(request.task.type === "approval" ? request.task.title : request.task.topic)
        ? undefined
        : "a task has a title or a topic";
    case "child":
      return isName(request.workflow) ? undefined : "a child has the name of a workflow";
    default:
      return "its kind is none of timer, signal, event, task, child";
  }
}

function isName(text: unknown): boolean {
  return typeof text === "string" && text !== "";
}

function invalid(why: string): StepwellError {
  return new StepwellError("SUSPENSION_INVALID", `an operator suspended its step with something that cannot be waited for: ${why}`);
}
