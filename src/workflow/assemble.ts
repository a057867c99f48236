import type { Template } from "../expressions/template.ts";
import type { RetryPolicy } from "../model/graph-terms.ts";
import { isJsonObject, type Json, type JsonObject } from "../model/json.ts";
import { at } from "./at.ts";
import type { CompiledLevel } from "./compile-level.ts";
import type { Draft, DraftStep } from "./draft.ts";
import type { SwitchTargets } from "./edges.ts";
import { assembleFlow, type FlowDraft } from "./flow/compile-flow.ts";
import type {
  Block,
  Body,
  Compensate,
  CompensationPolicy,
  Definition,
  Graph,
  SecretSource,
  Step,
  StepGraph,
  Switch,
  Tolerate,
} from "./graph.ts";
import { asChoice, asList, asObject, namesIn, numberOr, textOr } from "./readers.ts";
import { durationMs, retryPolicy } from "./retry.ts";
import type { BlockTemplates, StepTemplates } from "./step-templates.ts";

/** Builds the graph of a definition in which no error was found. */
export function assembleGraph({ definition, defaults }: Draft, root: CompiledLevel, output: Template | null, flow: FlowDraft): Graph {
  const version = definition["version"];
  return {
    name: textOr(definition["name"], ""),
    version: typeof version === "string" || typeof version === "number" ? String(version) : null,
    description: textOr(definition["description"], null),
    labels: texts(asObject(definition["labels"])),
    ...assembleSteps(root, definition["onFailure"], { fields: defaults, retry: retryPolicy(undefined, defaults["retry"]) }),
    inputSchema: schemaOf(definition["input"]),
    vars: asObject(definition["vars"]),
    env: texts(asObject(definition["env"])),
    secrets: Object.fromEntries(
      Object.entries(asObject(definition["secrets"])).map(([name, source]) => [name, secretSource(asObject(source))]),
    ),
    timeoutMs: durationMs(definition["timeout"]),
    topic: textOr(definition["topic"], null),
    flow: assembleFlow(flow),
    output,
    compensation: assembleCompensation(definition, root),
  };
}

interface Defaults {
  readonly fields: JsonObject;
  readonly retry: RetryPolicy;
}

function assembleSteps(compiled: CompiledLevel, onFailure: Json | undefined, defaults: Defaults): StepGraph {
  const { level, connections } = compiled;
  return {
    steps: level.steps.map((step) => assembleStep(step, compiled, defaults)),
    edges: connections.edges,
    onFailure: asChoice(onFailure, ["stop", "isolate"]) ?? (level.isList ? "stop" : "isolate"),
  };
}

function assembleStep(
  { ordinal, id, fields, kind }: DraftStep,
  { templates: all, connections, bodies }: CompiledLevel,
  defaults: Defaults,
): Step {
  const templates = at(all, ordinal);
  const ownOrDefault = (name: string) => fields[name] ?? defaults.fields[name];
  return {
    ordinal,
    id,
    description: textOr(fields["description"], null),
    uses: textOr(fields["uses"], null),
    with: templates.with,
    when: templates.when,
    join: asChoice(fields["join"], ["some", "all", "settled"]) ?? "some",
    switch: kind === "switch" ? assembleSwitch(fields, templates, at(connections.targets, ordinal)) : null,
    ...(kind === "work" ? effort(fields, defaults) : NO_EFFORT),
    fallback: templates.fallback,
    onError: asChoice(ownOrDefault("onError"), ["fail", "skip", "continue"]) ?? "fail",
    delivery: asChoice(ownOrDefault("delivery"), ["at-least-once", "at-most-once", "confirm"]) ?? "at-least-once",
    idempotencyKey: templates.idempotencyKey,
    output: templates.output,
    schema: schemaOf(fields["schema"]),
    topic: textOr(fields["topic"], null),
    isolation: asChoice(fields["isolation"], ["thread"]) ?? "none",
    block: assembleBlock(fields, templates.block, at(bodies, ordinal), defaults),
    compensate: assembleCompensate(fields["compensate"], templates.compensate, defaults),
  };
}

type Effort = Pick<Step, "retry" | "timeoutMs">;

/** A switch or a block does nothing that could be tried again. */
const NO_EFFORT: Effort = { retry: retryPolicy(undefined, undefined), timeoutMs: null };

function effort({ retry, timeout }: JsonObject, { fields, retry: defaultRetry }: Defaults): Effort {
  return {
    retry: retry === undefined ? defaultRetry : retryPolicy(retry, fields["retry"]),
    timeoutMs: durationMs(timeout ?? fields["timeout"]),
  };
}

function assembleCompensate(written: Json | undefined, input: Template | null, defaults: Defaults): Compensate | null {
  if (written === undefined) return null;
  const fields = asObject(written);
  return { uses: textOr(fields["uses"], ""), with: input, ...effort(fields, defaults) };
}

const CAUSES = ["failure", "cancel"] as const;

function assembleCompensation(definition: Definition, { level }: CompiledLevel): CompensationPolicy | null {
  if (level.steps.every(({ fields }) => fields["compensate"] === undefined)) return null;
  const written = asObject(definition["compensation"]);
  const on = namesIn(written["on"], []).map(({ name }) => name);
  return {
    order: asChoice(written["order"], ["backward", "forward"]) ?? "backward",
    on: on.length === 0 ? ["failure"] : CAUSES.filter((cause) => on.includes(cause)),
  };
}

function assembleSwitch(fields: JsonObject, templates: StepTemplates, targets: SwitchTargets): Switch {
  const otherwiseAt = asList(fields["switch"]).findIndex((entry) => Object.hasOwn(asObject(entry), "otherwise"));
  return {
    mode: asChoice(fields["mode"], ["exclusive", "inclusive"]) ?? "exclusive",
    cases: templates.cases.flatMap((when, index) => (when === null ? [] : [{ when, then: at(targets, index) }])),
    otherwise: otherwiseAt < 0 ? [] : at(targets, otherwiseAt),
  };
}

function assembleBlock(
  fields: JsonObject,
  templates: BlockTemplates | null,
  inside: CompiledLevel | null,
  defaults: Defaults,
): Block | null {
  if (templates === null || inside === null) return null;
  const { outward, output, items } = templates;
  const body: Body = { ...assembleSteps(inside, undefined, defaults), outward, output, isList: inside.level.isList };
  if (items !== null) {
    const maxConcurrency = fields["sequential"] === true ? 1 : numberOr(fields["maxConcurrency"], 100);
    return { kind: "foreach", items, maxConcurrency, tolerate: tolerance(fields["tolerate"]), body };
  }
  const loop = asObject(fields["loop"]);
  return {
    kind: "loop",
    until: templates.until,
    while: templates.while,
    carry: templates.carry,
    maxIterations: numberOr(loop["maxIterations"], 1),
    delayMs: durationMs(loop["delay"]) ?? 0,
    exhausted: asChoice(loop["exhausted"], ["fail", "succeed"]) ?? "fail",
    body,
  };
}

function tolerance(value: Json | undefined): Tolerate {
  return typeof value === "string" ? { kind: "part", part: Number.parseFloat(value) / 100 } : { kind: "items", count: numberOr(value, 0) };
}

function schemaOf(value: JsonObject[string] | undefined): JsonObject | null {
  return isJsonObject(value) ? value : null;
}

function texts(members: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, textOr(value, "")]));
}

function secretSource({ env, file }: JsonObject): SecretSource {
  return typeof env === "string" ? { env } : { file: textOr(file, "") };
}
