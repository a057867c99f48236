import { parseDuration, parseSignedDuration } from "../../model/duration.ts";
import type { Json } from "../../model/json.ts";
import { LIMITS } from "../../model/limits.ts";
import { type Draft, levelsIn } from "../draft.ts";
import type { Report } from "../findings.ts";
import type { FlowDraft, Keyed } from "../flow/compile-flow.ts";
import { countLimits, type WrittenGather, type WrittenLimit } from "../flow/read-flow.ts";
import { pathText } from "../path.ts";
import { numberOr } from "../readers.ts";

/** Reports limits, collected starts, priorities and topics that cannot mean anything, and warns of limits that do not what they seem to. */
export function checkFlow({ definition, root }: Draft, { priority, limits, gathers }: FlowDraft, report: Report): void {
  checkCount(countLimits(definition), report);
  checkPriority(priority, report);
  for (const gather of gathers) checkDelays(gather, report);
  for (const keyed of [...limits, ...gathers]) checkKey(keyed, report);
  for (const limit of limits) {
    checkEffect(limit, limits, report);
    checkCollected(limit, gathers[0], report);
  }
  for (const { steps } of levelsIn(root)) {
    for (const { path, fields } of steps) {
      if (fields["uses"] !== "task" || fields["topic"] === undefined) continue;
      const message = "A `task` has no `topic` beside its `with`: the step itself only leaves work";
      const hint = "The `topic` under `with` is what remote workers poll. Remove this one.";
      report({ code: "FIELD_INVALID", path: [...path, "topic"], key: true, message, hint });
    }
  }
}

/** A single list that is too long was reported before. */
function checkCount(counts: readonly number[], report: Report): void {
  const count = counts.reduce((sum, one) => sum + one, 0);
  if (count <= LIMITS.limitsPerWorkflow || Math.max(...counts) > LIMITS.limitsPerWorkflow) return;
  const message = `A workflow has at most ${LIMITS.limitsPerWorkflow} limits; this one has ${count}`;
  report({ code: "FIELD_INVALID", path: [], message, hint: "Count together what is limited for the same reason." });
}

/** What is no duration was reported before. */
function tried(parse: () => number): number | null {
  try {
    return parse();
  } catch {
    return null;
  }
}

function checkPriority(priority: Json | undefined, report: Report): void {
  if (typeof priority !== "string") return;
  const ms = tried(() => parseSignedDuration(priority));
  if (ms === null || Math.abs(ms) <= LIMITS.priorityMs) return;
  const hint = "So that nobody waits for ever behind later runs, a run stands at most an hour earlier or later than it was started.";
  report({ code: "PRIORITY_INVALID", path: ["priority"], message: "`priority` is from -1h to 1h", hint });
}

function checkDelays({ path, fields }: WrittenGather, report: Report): void {
  const [delay, maxDelay] = [durationOf(fields["delay"]), durationOf(fields["maxDelay"])];
  if (delay === null || maxDelay === null || maxDelay >= delay) return;
  const message = "`debounce.maxDelay` is shorter than its `delay`";
  const hint = "Make it at least as long, or leave it out.";
  report({ code: "FIELD_INVALID", path: [...path, "maxDelay"], message, hint });
}

function durationOf(value: Json | undefined): number | null {
  return typeof value === "string" || typeof value === "number" ? tried(() => parseDuration(value)) : null;
}

function checkKey({ path, key }: Keyed<WrittenLimit | WrittenGather>, report: Report): void {
  if (key?.isConstant !== true || key.source === "") return;
  report({
    code: "LIMIT_INEFFECTIVE",
    severity: "warning",
    path: [...path, "key"],
    message: `The key of \`${pathText(path)}\` is a constant, so it tells no runs apart`,
    hint: 'Put the expression between braces, `"{{ input.customer }}"`, or leave the key out.',
  });
}

/** Warns of a concurrency limit that is never full, because another one always is before it. */
function checkEffect(limit: WrittenLimit, limits: readonly WrittenLimit[], report: Report): void {
  const outdoing = limits.find((other) => outdoes(other, limit));
  if (outdoing === undefined) return;
  const most = mostOf(outdoing);
  report({
    code: "LIMIT_INEFFECTIVE",
    severity: "warning",
    path: limit.path,
    message: `\`${pathText(limit.path)}\` has no effect: \`${pathText(outdoing.path)}\` lets at most ${most} ${most === 1 ? "run" : "runs"} through`,
    hint: "Remove it, or give it a smaller `limit` or another `key`.",
  });
}

function outdoes(other: WrittenLimit, limit: WrittenLimit): boolean {
  if (other === limit || limit.kind !== "concurrency" || other.kind === "rateLimit") return false;
  const hasSameKey = other.fields["key"] === limit.fields["key"];
  if (!hasSameKey && other.fields["key"] !== undefined) return false;
  const [others, own] = [mostOf(other), mostOf(limit)];
  if (others < 1 || own < 1) return false;
  return other.kind === "singleton" || others < own || (others === own && hasSameKey && other.index < limit.index);
}

/** Less than 1 for what is no limit, which was reported before. */
function mostOf({ kind, fields }: WrittenLimit): number {
  return kind === "singleton" ? 1 : numberOr(fields["limit"], 0);
}

/** All starts that become one run are under the limits of the first of them. */
function checkCollected({ path, key, fields }: Keyed<WrittenLimit>, gather: WrittenGather | undefined, report: Report): void {
  if (gather === undefined || key === null || key.isConstant || fields["key"] === gather.fields["key"]) return;
  report({
    code: "LIMIT_INEFFECTIVE",
    severity: "warning",
    path: [...path, "key"],
    message: `\`${pathText(path)}\` counts a run by the first start that \`${gather.kind}\` has collected in it`,
    hint: `Give both the same \`key\`, so that all starts of a run agree.`,
  });
}
