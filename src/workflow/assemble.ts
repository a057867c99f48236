import type { RetryPolicy } from "../model/graph-terms.ts";
import { isJsonObject, type JsonObject } from "../model/json.ts";
import { at } from "./at.ts";
import type { Draft, DraftStep } from "./draft.ts";
import type { Connections, SwitchTargets } from "./edges.ts";
import type { Graph, SecretSource, Step, Switch } from "./graph.ts";
import { asChoice, asList, asObject, textOr } from "./readers.ts";
import { durationMs, retryPolicy } from "./retry.ts";
import type { StepTemplates, Templates } from "./step-templates.ts";

/** Builds the graph of a definition in which no error was found. */
export function assembleGraph(draft: Draft, templates: Templates, connections: Connections): Graph {
  const { definition, defaults, isList } = draft;
  const defaultRetry = retryPolicy(undefined, defaults["retry"]);
  const version = definition["version"];
  return {
    name: textOr(definition["name"], ""),
    version: typeof version === "string" || typeof version === "number" ? String(version) : null,
    description: textOr(definition["description"], null),
    labels: texts(asObject(definition["labels"])),
    steps: draft.steps.map((step, ordinal) =>
      assembleStep(step, at(templates.steps, ordinal), at(connections.targets, ordinal), defaults, defaultRetry),
    ),
    edges: connections.edges,
    onFailure: asChoice(definition["onFailure"], ["stop", "isolate"]) ?? (isList ? "stop" : "isolate"),
    inputSchema: schemaOf(definition["input"]),
    vars: asObject(definition["vars"]),
    env: texts(asObject(definition["env"])),
    secrets: Object.fromEntries(
      Object.entries(asObject(definition["secrets"])).map(([name, source]) => [name, secretSource(asObject(source))]),
    ),
    timeoutMs: durationMs(definition["timeout"]),
    output: templates.output,
    compensation: null,
  };
}

function assembleStep(
  { ordinal, id, fields }: DraftStep,
  templates: StepTemplates,
  targets: SwitchTargets,
  defaults: JsonObject,
  defaultRetry: RetryPolicy,
): Step {
  const onError = fields["onError"] ?? defaults["onError"];
  const delivery = fields["delivery"] ?? defaults["delivery"];
  const isSwitch = Object.hasOwn(fields, "switch");
  const retry = fields["retry"] === undefined ? defaultRetry : retryPolicy(fields["retry"], defaults["retry"]);
  return {
    ordinal,
    id,
    description: textOr(fields["description"], null),
    uses: textOr(fields["uses"], null),
    with: templates.with,
    when: templates.when,
    join: asChoice(fields["join"], ["some", "all", "settled"]) ?? "some",
    switch: isSwitch ? assembleSwitch(fields, templates, targets) : null,
    retry: isSwitch ? retryPolicy(undefined, undefined) : retry,
    timeoutMs: isSwitch ? null : durationMs(fields["timeout"] ?? defaults["timeout"]),
    fallback: templates.fallback,
    onError: asChoice(onError, ["fail", "skip", "continue"]) ?? "fail",
    delivery: asChoice(delivery, ["at-least-once", "at-most-once"]) ?? "at-least-once",
    idempotencyKey: templates.idempotencyKey,
    output: templates.output,
    schema: schemaOf(fields["schema"]),
    isolation: asChoice(fields["isolation"], ["thread"]) ?? "none",
    block: null,
    compensate: null,
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

function schemaOf(value: JsonObject[string] | undefined): JsonObject | null {
  return isJsonObject(value) ? value : null;
}

function texts(members: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, textOr(value, "")]));
}

function secretSource({ env, file }: JsonObject): SecretSource {
  return typeof env === "string" ? { env } : { file: textOr(file, "") };
}
