import { LIMITS } from "../../model/limits.ts";
import { PUBLIC_NAME } from "../name-forms.ts";
import type { Field, NumberShape, RecordShape, Shape } from "../shape.ts";

/** The kinds of limits; each is a field of a workflow. */
export const LIMIT_KINDS = ["concurrency", "rateLimit", "singleton"] as const;
/** The kinds of collecting starts; each is a field of a workflow. */
export const GATHER_KINDS = ["debounce", "batch"] as const;

const upTo = (maximum: number, hint: string): NumberShape => ({ kind: "number", minimum: 1, maximum, integer: true, hint });
const RUNS = upTo(LIMITS.runsPerLimit, "A limit is a constant, the same for every run. Where there is none, leave the field out.");
const DURATION: Shape = { kind: "duration", positive: true };

const KEY: Field = {
  shape: { kind: "key" },
  about:
    "Text, number or boolean, evaluated at the start: each value counts for itself. Without it all runs of the workflow count together.",
};

const CONCURRENCY: RecordShape = {
  kind: "record",
  title: "a concurrency limit",
  fields: {
    limit: { shape: RUNS, about: "Most runs that are at work at the same time.", required: true },
    key: KEY,
    onLimit: {
      shape: { kind: "choice", values: ["queue", "reject", "cancel-running"] },
      about: "What happens to a run that finds the limit full: it waits, it fails, or the oldest that is at work is cancelled for it.",
      default: "queue",
    },
  },
};

const RATE: RecordShape = {
  kind: "record",
  title: "a rate limit",
  fields: {
    limit: { shape: RUNS, about: "Most runs that begin in one period.", required: true },
    per: { shape: DURATION, about: "The period.", required: true },
    key: KEY,
    onLimit: {
      shape: {
        kind: "choice",
        values: ["queue", "reject"],
        instead: { "cancel-running": "A rate counts beginnings: cancelling a run would give none back. Use `concurrency` for that." },
      },
      about: "What happens to a run that finds the limit full: it waits, or it fails.",
      default: "queue",
    },
  },
};

const SINGLETON: RecordShape = {
  kind: "record",
  title: "a singleton",
  fields: {
    key: KEY,
    onConflict: {
      shape: {
        kind: "choice",
        values: ["reject", "cancel-running"],
        instead: { queue: "Runs that wait for each other while they are at work are `concurrency: 1`." },
      },
      about: "What happens when a run begins before the one before it has ended: it fails, or the one before it is cancelled for it.",
      default: "reject",
    },
  },
};

const DEBOUNCE: RecordShape = {
  kind: "record",
  title: "a debounce",
  fields: {
    key: KEY,
    delay: { shape: DURATION, about: "The run begins so long after the last start.", required: true },
    maxDelay: { shape: DURATION, about: "It begins at the latest so long after the first start." },
  },
};

const BATCH: RecordShape = {
  kind: "record",
  title: "a batch",
  fields: {
    key: KEY,
    size: {
      shape: upTo(LIMITS.batchItems, "Starts beyond that become the next run."),
      about: "The run begins when so many starts have been collected.",
      required: true,
    },
    timeout: { shape: DURATION, about: "It begins at the latest so long after the first start.", required: true },
  },
};

const limits = (of: RecordShape): Shape => ({
  kind: "list",
  of,
  minItems: 1,
  maxItems: LIMITS.limitsPerWorkflow,
  orOne: true,
});

/** Fields of a workflow that say when and where its runs begin. */
export const FLOW_FIELDS: Readonly<Record<string, Field>> = {
  topic: { shape: { kind: "text", form: PUBLIC_NAME }, about: "Name by which routes choose the workers for its runs." },
  priority: {
    shape: { kind: "priority" },
    about:
      "How much earlier its runs stand in the queue than they were started, up to 1h; negative: later. An expression gives such a text, or seconds.",
  },
  concurrency: {
    shape: { kind: "short", value: RUNS, for: limits(CONCURRENCY), means: "a number of runs, a concurrency limit, or a list of them" },
    about: "How many runs are at work at the same time.",
  },
  rateLimit: { shape: limits(RATE), about: "How many runs begin in a period." },
  singleton: {
    shape: { kind: "short", value: { kind: "onlyTrue" }, for: SINGLETON, means: "`true`, or a singleton, which is an object" },
    about: "Only one run at a time, from its beginning to its end, waits included.",
  },
  debounce: { shape: DEBOUNCE, about: "Starts that follow each other become one run, with the input of the last one." },
  batch: { shape: BATCH, about: "Starts are collected in one run; its input is `{ items }`, the list of their inputs." },
};

export const STEP_TOPIC: Field = {
  shape: { kind: "text", form: PUBLIC_NAME },
  about: "Name by which routes choose the workers for this step; default: those of the run.",
};

export const GATHER_ADVICE = "A start replaces the one before it (`debounce`), or is added to it (`batch`): choose one.";
