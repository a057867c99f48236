import { parseDuration } from "../model/duration.ts";
import type { RetryPolicy } from "../model/graph-terms.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { asChoice, asList, asObject, numberOr } from "./readers.ts";

const NO_RETRY: RetryPolicy = {
  strategy: "none",
  maxAttempts: 1,
  initialDelayMs: 0,
  maxDelayMs: 0,
  factor: 1,
  jitter: 0,
  on: [],
  notOn: [],
};

const STRATEGIES = ["none", "fixed", "exponential"] as const;

/** Milliseconds of a duration that was checked before; null when it is absent. */
export function durationMs(value: Json | undefined): number | null {
  return typeof value === "string" || typeof value === "number" ? parseDuration(value) : null;
}

/** The policy of a step, each member from the step, else from the defaults, else: exponential, 3 tries, from 1 s to 60 s, doubling. */
export function retryPolicy(own: Json | undefined, defaults: Json | undefined): RetryPolicy {
  if (own === undefined && defaults === undefined) return NO_RETRY;
  const fields: JsonObject = { ...asObject(defaults), ...asObject(own) };
  const strategy = asChoice(fields["strategy"], STRATEGIES) ?? "exponential";
  if (strategy === "none") return NO_RETRY;
  const initialDelayMs = durationMs(fields["initialDelay"]) ?? 1_000;
  return {
    strategy,
    maxAttempts: numberOr(fields["maxAttempts"], 3),
    initialDelayMs,
    maxDelayMs: durationMs(fields["maxDelay"]) ?? Math.max(60_000, initialDelayMs),
    factor: strategy === "fixed" ? 1 : numberOr(fields["factor"], 2),
    jitter: numberOr(fields["jitter"], 0),
    on: texts(fields["on"]),
    notOn: texts(fields["notOn"]),
  };
}

function texts(value: Json | undefined): readonly string[] {
  return asList(value).filter((member) => typeof member === "string");
}
