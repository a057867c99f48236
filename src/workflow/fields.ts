import { LIMITS } from "../model/limits.ts";
import type { Field, NameForm, RecordShape, Shape } from "./shape.ts";

/** Names in expressions: `steps.fetch.output`, `vars.shop`. */
export const EXPRESSION_NAME: NameForm = {
  pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
  means: "letters, digits and `_`, and does not start with a digit",
  maxLength: LIMITS.idLength,
};
const WORKFLOW_NAME: NameForm = {
  pattern: "^[A-Za-z_][A-Za-z0-9_.-]*$",
  means: "letters, digits, `_`, `-` and `.`, and starts with a letter or `_`",
  maxLength: LIMITS.idLength,
};

/** Names that JavaScript objects or the expression language already give a meaning. */
export const RESERVED_IDS: readonly string[] = ["__proto__", "constructor", "prototype", "true", "false", "null"];

const TEXT: Shape = { kind: "text" };
const TEMPLATE: Shape = { kind: "template" };
const STEP_ID: Shape = { kind: "text", form: EXPRESSION_NAME };
const STEP_IDS: Shape = { kind: "list", of: STEP_ID, minItems: 0, orOne: true };
const ERROR_CODE_LIST: Shape = { kind: "list", of: TEXT, minItems: 0, orOne: false };
const TIMEOUT: Shape = { kind: "duration", positive: true };
const DELAY: Shape = { kind: "duration", positive: false };

const RETRY: RecordShape = {
  kind: "record",
  title: "a retry policy",
  fields: {
    strategy: {
      shape: { kind: "choice", values: ["none", "fixed", "exponential"] },
      about: "How the delay between tries grows.",
      default: "exponential",
    },
    maxAttempts: {
      shape: { kind: "number", minimum: 1, maximum: 1_000, integer: true },
      about: "Total tries, the first included.",
      default: 3,
    },
    initialDelay: { shape: DELAY, about: "Delay before the second try.", default: "1s" },
    maxDelay: { shape: DELAY, about: "Longest delay between two tries.", default: "60s" },
    factor: { shape: { kind: "number", minimum: 1, maximum: 100, integer: false }, about: "Growth of an exponential delay.", default: 2 },
    jitter: {
      shape: { kind: "number", minimum: 0, maximum: 1, integer: false },
      about: "Part of the delay that is drawn at random: 0 is none, 1 is all of it.",
      default: 0,
    },
    on: { shape: ERROR_CODE_LIST, about: "Error codes that are tried again; empty or absent: every retryable one." },
    notOn: { shape: ERROR_CODE_LIST, about: "Error codes that are never tried again." },
  },
};

const RETRY_FIELD: Field = { shape: RETRY, about: "When a failed attempt is tried again." };
const TIMEOUT_FIELD: Field = { shape: TIMEOUT, about: "Longest running time of one attempt." };
const ON_ERROR: Field = {
  shape: { kind: "choice", values: ["fail", "skip", "continue"] },
  about: "What a final failure of the step means for the run.",
  default: "fail",
};
const DELIVERY: Field = {
  shape: { kind: "choice", values: ["at-least-once", "at-most-once"] },
  about: "What happens to a step that was running when the process died.",
  default: "at-least-once",
};

const CASE: RecordShape = {
  kind: "record",
  title: "a case",
  fields: {
    when: { shape: { kind: "condition" }, about: "The case holds when this is true.", needs: "then" },
    then: { shape: STEP_IDS, about: "Steps that run when the case holds.", needs: "when" },
    otherwise: { shape: STEP_IDS, about: "Steps that run when no case held." },
  },
  alternatives: [["when", "then"], ["otherwise"]],
};

const usesOnly = (field: Field): Field => ({ ...field, needs: "uses" });

const STEP_FIELDS: Readonly<Record<string, Field>> = {
  description: { shape: TEXT, about: "What the step is for, for readers." },
  uses: { shape: TEXT, about: "Name of the operator that does the work." },
  with: usesOnly({ shape: TEMPLATE, about: "Input of the operator." }),
  needs: { shape: STEP_IDS, about: "Steps whose results this step needs; in a list it replaces the wait for the step before." },
  when: { shape: { kind: "condition" }, about: "The step is SKIPPED unless this is true." },
  join: {
    shape: { kind: "choice", values: ["some", "all", "settled"] },
    about: "Which of its needs must have succeeded.",
    default: "some",
  },
  switch: { shape: { kind: "list", of: CASE, minItems: 1, orOne: false }, about: "Cases that select the steps to run." },
  mode: {
    shape: { kind: "choice", values: ["exclusive", "inclusive"] },
    about: "exclusive: the first case that holds. inclusive: every case that holds.",
    needs: "switch",
    default: "exclusive",
  },
  output: usesOnly({ shape: TEMPLATE, about: "Output made from `result`: a value with expressions, or `jsonpath: …`." }),
  extract: { shape: { kind: "onlyTrue" }, about: "Keeps the members of the result that `schema` names.", needs: "schema" },
  schema: usesOnly({ shape: { kind: "schema" }, about: "JSON Schema 2020-12 that the output must match." }),
  retry: usesOnly(RETRY_FIELD),
  timeout: usesOnly(TIMEOUT_FIELD),
  fallback: usesOnly({ shape: TEMPLATE, about: "Output when every try has failed." }),
  onError: ON_ERROR,
  delivery: usesOnly(DELIVERY),
  idempotencyKey: usesOnly({ shape: TEMPLATE, about: "Text by which others recognise a repeated attempt." }),
  isolation: usesOnly({ shape: { kind: "choice", values: ["thread"] }, about: "thread: the operator runs in a worker thread." }),
};

const LATER_STEP_FIELDS = ["foreach", "loop", "steps", "workflow", "compensate", "sleep", "wait", "approval", "task", "session"];
const LATER_BESIDE_THEM = ["maxConcurrency", "sequential", "tolerate", "concurrency", "connection", "sensitive"];

const stepShape = (fields: Readonly<Record<string, Field>>): RecordShape => ({
  kind: "record",
  title: "a step",
  fields,
  alternatives: [["uses"], ["switch"]],
  later: [...LATER_STEP_FIELDS, ...LATER_BESIDE_THEM],
});

const SECRET: RecordShape = {
  kind: "record",
  title: "a secret",
  fields: {
    env: { shape: TEXT, about: "Environment variable that holds the secret." },
    file: { shape: TEXT, about: "File that holds the secret." },
  },
  alternatives: [["env"], ["file"]],
  later: ["connection", "key"],
};

const DEFAULTS: RecordShape = {
  kind: "record",
  title: "the defaults",
  fields: { retry: RETRY_FIELD, timeout: TIMEOUT_FIELD, onError: ON_ERROR, delivery: DELIVERY },
};

/** Every field of the format in the order in which documentation lists them. */
export const WORKFLOW: RecordShape = {
  kind: "record",
  title: "a workflow",
  fields: {
    name: { shape: { kind: "text", form: WORKFLOW_NAME }, about: "Name of the workflow.", required: true },
    version: { shape: { kind: "version" }, about: "Version for readers; any text." },
    description: { shape: TEXT, about: "What the workflow is for." },
    labels: { shape: { kind: "map", of: TEXT, keys: null }, about: "Texts by which runs are found." },
    input: { shape: { kind: "schema" }, about: "JSON Schema 2020-12 that the input of a run must match." },
    vars: { shape: { kind: "map", of: { kind: "constant" }, keys: EXPRESSION_NAME }, about: "Constants: `{{ vars.name }}`." },
    env: { shape: { kind: "map", of: TEXT, keys: EXPRESSION_NAME }, about: "Texts of the environment: `{{ env.NAME }}`." },
    secrets: { shape: { kind: "map", of: SECRET, keys: EXPRESSION_NAME }, about: "Secrets, used as `{ secret: NAME }` inside `with`." },
    timeout: { shape: TIMEOUT, about: "Longest time of a whole run, waits included." },
    onFailure: {
      shape: { kind: "choice", values: ["stop", "isolate"] },
      about: "How far a failure reaches; default stop for a list of steps, isolate for a map.",
    },
    defaults: { shape: DEFAULTS, about: "Values for steps that do not set their own." },
    steps: {
      shape: {
        kind: "steps",
        inMap: stepShape(STEP_FIELDS),
        inList: stepShape({ id: { shape: STEP_ID, about: "Id of the step; default: from `uses` and position." }, ...STEP_FIELDS }),
      },
      about: "A list is a sequence, a map is a graph.",
      required: true,
    },
    output: { shape: TEMPLATE, about: "Output of the run." },
  },
  later: ["budget", "triggers", "concurrency", "compensate", "connection", "sensitive"],
};
