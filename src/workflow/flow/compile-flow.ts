import { compileTemplate } from "../../expressions/index.ts";
import type { Reference, Template } from "../../expressions/template.ts";
import { parseSignedDuration } from "../../model/duration.ts";
import { invariant } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import type { Level } from "../draft.ts";
import type { Report } from "../findings.ts";
import type { Definition } from "../graph.ts";
import { type Path, pathText } from "../path.ts";
import { asChoice, numberOr } from "../readers.ts";
import { declarationsOf, resolveReference, type Sight } from "../references.ts";
import { durationMs } from "../retry.ts";
import { type Flow, type FlowGather, type FlowLimit, NO_FLOW } from "./flow.ts";
import { readGathers, readLimits, type WrittenGather, type WrittenLimit } from "./read-flow.ts";

/** The flow of a definition with its expressions; to be assembled once no error was found. */
export interface FlowDraft {
  readonly priority: Json | undefined;
  /** Null when the priority holds no expression. */
  readonly priorityTemplate: Template | null;
  readonly limits: readonly Keyed<WrittenLimit>[];
  readonly gathers: readonly Keyed<WrittenGather>[];
}

export type Keyed<Written> = Written & { readonly key: Template | null };

const START_ROOTS: readonly string[] = ["input", "vars", "env", "run"];
/** Names that mean something only once a run has begun. */
const LATER_ROOTS: readonly string[] = ["steps", "item", "index", "carry", "round", "result"];
const NO_STEPS: Level = { isList: false, steps: [], ordinals: new Map(), block: null };

/** Compiles the keys and the priority of a definition, and reports what is wrong with them or with what they refer to. */
export function compileFlow(definition: Definition, report: Report): FlowDraft {
  // of a batch too: they see the input of the start, not what becomes of it
  const declared = { ...declarationsOf(definition), isBatch: false };
  const sight: Sight = { declared, level: NO_STEPS, roots: START_ROOTS };
  const priority = definition["priority"];
  const hasExpression = typeof priority === "string" && priority.includes("{{");
  const keyed = <Written extends WrittenLimit | WrittenGather>(written: Written): Keyed<Written> => ({
    ...written,
    key: compileText(written.fields["key"], [...written.path, "key"], sight, report),
  });
  return {
    priority,
    priorityTemplate: hasExpression ? compileText(priority, ["priority"], sight, report) : null,
    limits: readLimits(definition).map(keyed),
    gathers: readGathers(definition).map(keyed),
  };
}

function compileText(source: Json | undefined, path: Path, sight: Sight, report: Report): Template | null {
  if (typeof source !== "string") return null;
  const { template, problems } = compileTemplate(source, { expect: "any" });
  for (const { code, message, hint, offset } of problems) report({ code, message, hint, offset, path });
  for (const reference of template.references) resolveAtStart(reference, path, sight, report);
  return template;
}

function resolveAtStart(reference: Reference, path: Path, sight: Sight, report: Report): void {
  const { root } = reference;
  if (LATER_ROOTS.includes(root)) {
    const hint = "It is evaluated when a run is started, before any step: use `input`, `vars`, `env` or `run`.";
    report({ code: "REFERENCE_UNKNOWN", path, message: `Nothing is called \`${root}\` here`, hint });
  } else if (root === "run" && reference.path[0] === "id") {
    const hint = "Use what runs have in common: `run.workflow`, `run.version`, `run.tenant`, or the input.";
    report({ code: "REFERENCE_UNKNOWN", path, message: "A run has no id before it is stored", hint });
  } else resolveReference(reference, path, sight, report);
}

/** The flow of a definition in which no error was found. */
export function assembleFlow({ priority, priorityTemplate, limits, gathers }: FlowDraft): Flow {
  const [gather] = gathers;
  const flow: Flow = {
    priority: priorityTemplate ?? (typeof priority === "string" ? parseSignedDuration(priority) : 0),
    limits: limits.map(assembleLimit),
    gather: gather === undefined ? null : assembleGather(gather),
  };
  return flow.priority === 0 && flow.limits.length === 0 && flow.gather === null ? NO_FLOW : flow;
}

function assembleLimit({ kind, index, path, fields, key }: Keyed<WrittenLimit>): FlowLimit {
  const place = { kind, index, path: pathText(path), key };
  if (kind === "singleton") {
    const onLimit = asChoice(fields["onConflict"], ["reject", "cancel-running"]) ?? "reject";
    return { ...place, limit: 1, periodMs: null, onLimit, holds: "run" };
  }
  const onLimit = asChoice(fields["onLimit"], ["queue", "reject", "cancel-running"]) ?? "queue";
  return { ...place, limit: numberOr(fields["limit"], 1), periodMs: durationMs(fields["per"]), onLimit, holds: "activity" };
}

function assembleGather({ kind, fields, key }: Keyed<WrittenGather>): FlowGather {
  const delayMs = durationMs(fields[kind === "batch" ? "timeout" : "delay"]);
  invariant(delayMs !== null, `a ${kind} without its time was not reported`);
  if (kind === "batch") return { kind, key, mode: "append", delayMs, maxDelayMs: null, maxItems: numberOr(fields["size"], 1) };
  return { kind, key, mode: "replace", delayMs, maxDelayMs: durationMs(fields["maxDelay"]), maxItems: null };
}
