import { LIMITS } from "../model/limits.ts";
import { FLOW_FIELDS, GATHER_ADVICE, STEP_TOPIC } from "./flow/fields.ts";
import { EXPRESSION_NAME, PUBLIC_NAME } from "./name-forms.ts";
import type { Field, RecordShape, Shape } from "./shape.ts";

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
  shape: { kind: "choice", values: ["at-least-once", "at-most-once", "confirm"] },
  about: "What happens to a step that was running when the process died.",
  default: "at-least-once",
};

const CASE: RecordShape = {
  kind: "record",
  title: "a case",
  fields: {
    when: { shape: { kind: "condition" }, about: "The case holds when this is true.", needs: [["then"]] },
    then: { shape: STEP_IDS, about: "Steps that run when the case holds.", needs: [["when"]] },
    otherwise: { shape: STEP_IDS, about: "Steps that run when no case held." },
  },
  alternatives: [["when", "then"], ["otherwise"]],
};

const LOOP: RecordShape = {
  kind: "record",
  title: "a loop",
  fields: {
    until: { shape: { kind: "condition" }, about: "Asked after each round; the loop ends when this is true." },
    while: { shape: { kind: "condition" }, about: "Asked before each round; the loop ends when this is false." },
    carry: { shape: TEMPLATE, about: "Value of `carry` in the next round; in the first it is the `with` of the step." },
    maxIterations: {
      shape: { kind: "number", minimum: 1, maximum: LIMITS.loopIterations, integer: true },
      about: "Most rounds that are made.",
      required: true,
    },
    delay: { shape: DELAY, about: "Pause between two rounds.", default: 0 },
    exhausted: {
      shape: { kind: "choice", values: ["fail", "succeed"] },
      about: "What becomes of a loop that made all its rounds without reaching its end.",
      default: "fail",
    },
  },
  someOf: ["until", "while"],
};

const COMPENSATE: RecordShape = {
  kind: "record",
  title: "a compensation",
  fields: {
    uses: { shape: TEXT, about: "Name of the operator that undoes the step.", required: true },
    with: { shape: TEMPLATE, about: "Its input; it sees the output of the step and of every other settled one." },
    retry: RETRY_FIELD,
    timeout: TIMEOUT_FIELD,
  },
};

const COMPENSATION: RecordShape = {
  kind: "record",
  title: "a policy of compensation",
  fields: {
    order: {
      shape: { kind: "choice", values: ["backward", "forward"] },
      about: "backward: what succeeded last is undone first.",
      default: "backward",
    },
    on: {
      shape: { kind: "list", of: { kind: "choice", values: ["failure", "cancel"] }, minItems: 1, orOne: true },
      about: "What starts it.",
      default: ["failure"],
    },
  },
};

/** Fields that mean nothing without one of these. */
const only = (fields: readonly string[], field: Field): Field => ({ ...field, needs: [fields] });
const WORK = ["uses"];
const REPEATED = ["foreach", "loop"];
const WITH_OUTPUT = [...WORK, ...REPEATED];

const STEPS: Shape = { kind: "steps", of: (place) => (place === "list" ? LIST_STEP : MAP_STEP) };

const STEP_FIELDS: Readonly<Record<string, Field>> = {
  description: { shape: TEXT, about: "What the step is for, for readers." },
  uses: { shape: TEXT, about: "Name of the operator that does the work." },
  with: only([...WORK, "loop"], { shape: TEMPLATE, about: "Input of the operator, or the first `carry` of a loop." }),
  needs: { shape: STEP_IDS, about: "Steps whose results this step needs; in a list it replaces the wait for the step before." },
  when: { shape: { kind: "condition" }, about: "The step is SKIPPED unless this is true." },
  join: {
    shape: { kind: "choice", values: ["some", "all", "settled"] },
    about: "Which of its needs must have succeeded.",
    default: "some",
  },
  switch: { shape: { kind: "list", of: CASE, minItems: 1, orOne: false }, about: "Cases that select the steps to run." },
  mode: only(["switch"], {
    shape: { kind: "choice", values: ["exclusive", "inclusive"] },
    about: "exclusive: the first case that holds. inclusive: every case that holds.",
    default: "exclusive",
  }),
  foreach: only(["steps"], { shape: { kind: "items" }, about: "List for each item of which `steps` run once." }),
  maxConcurrency: only(["foreach"], {
    shape: { kind: "number", minimum: 1, maximum: LIMITS.itemsAtOnce, integer: true },
    about: "Most items that are at work at the same time.",
    default: 100,
  }),
  sequential: only(["foreach"], { shape: { kind: "onlyTrue" }, about: "One item after the other." }),
  tolerate: only(["foreach"], {
    shape: { kind: "tolerance" },
    about: "How many items, or which part of them (`10%`), may fail without failing the step.",
    default: 0,
  }),
  loop: only(["steps"], { shape: LOOP, about: "How often `steps` run." }),
  steps: only(REPEATED, { shape: STEPS, about: "The steps that are repeated; a list is a sequence, a map is a graph." }),
  output: only(WITH_OUTPUT, {
    shape: TEMPLATE,
    about: "Output made from `result`: a value with expressions, or `jsonpath: …`. In a block: the output of each item or round.",
  }),
  extract: { shape: { kind: "onlyTrue" }, about: "Keeps the members of the result that `schema` names.", needs: [WORK, ["schema"]] },
  schema: only(WITH_OUTPUT, { shape: { kind: "schema" }, about: "JSON Schema 2020-12 that the output must match." }),
  retry: only(WORK, RETRY_FIELD),
  timeout: only(WORK, TIMEOUT_FIELD),
  fallback: only(WITH_OUTPUT, { shape: TEMPLATE, about: "Output when every try has failed." }),
  onError: ON_ERROR,
  delivery: only(WORK, DELIVERY),
  idempotencyKey: only(WORK, { shape: TEMPLATE, about: "Text by which others recognise a repeated attempt." }),
  compensate: only(WORK, { shape: COMPENSATE, about: "What undoes the step once it has succeeded, when the run does not." }),
  topic: only(WORK, STEP_TOPIC),
  isolation: only(WORK, { shape: { kind: "choice", values: ["thread"] }, about: "thread: the operator runs in a worker thread." }),
};

const IN_BODY = "A block only repeats its `steps`: write what is to be done, and its `retry` or `timeout`, at a step inside.";
const asOperator = (name: string): readonly [string, string] => [name, `Write \`uses: ${name}\`, and its fields under \`with\`.`];

const stepShape = (fields: Readonly<Record<string, Field>>): RecordShape => ({
  kind: "record",
  title: "a step",
  fields,
  alternatives: [["uses"], ["switch"], ["foreach", "steps"], ["loop", "steps"]],
  exclusive: ["maxConcurrency", "sequential"],
  advice: { foreach: IN_BODY, loop: IN_BODY },
  elsewhere: Object.fromEntries(["workflow", "sleep", "wait", "approval", "task"].map(asOperator)),
  later: ["session", "concurrency", "connection", "sensitive"],
});
const MAP_STEP = stepShape(STEP_FIELDS);
const LIST_STEP = stepShape({ id: { shape: STEP_ID, about: "Id of the step; default: from `uses` and position." }, ...STEP_FIELDS });

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
    name: { shape: { kind: "text", form: PUBLIC_NAME }, about: "Name of the workflow.", required: true },
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
    ...FLOW_FIELDS,
    compensation: { shape: COMPENSATION, about: "When and in which order steps with `compensate` are undone." },
    defaults: { shape: DEFAULTS, about: "Values for steps that do not set their own." },
    steps: { shape: STEPS, about: "A list is a sequence, a map is a graph.", required: true },
    output: { shape: TEMPLATE, about: "Output of the run." },
  },
  exclusive: ["debounce", "batch"],
  exclusiveHint: GATHER_ADVICE,
  later: ["budget", "triggers", "connection", "sensitive"],
};
