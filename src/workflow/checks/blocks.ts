import type { CompiledLevel } from "../compile-level.ts";
import type { DraftStep } from "../draft.ts";
import type { Report } from "../findings.ts";
import { asObject, textOr } from "../readers.ts";
import { constantCondition } from "./branches.ts";

/** Reports loops that never make a round, and those that ask again and again what a `wait` would be told (S1-44). */
export function checkBlocks(levels: readonly CompiledLevel[], report: Report): void {
  for (const { level } of levels) {
    for (const step of level.steps) if (step.kind === "loop") checkLoop(step, report);
  }
}

function checkLoop(step: DraftStep, report: Report): void {
  const loop = asObject(step.fields["loop"]);
  const path = [...step.path, "loop"];
  if (constantCondition(loop["while"]) === false) {
    const message = `The steps of \`${step.id}\` can never run: its \`while\` is always false`;
    report({ code: "STEP_UNREACHABLE", path: [...path, "while"], message });
  }
  if (!polls(step)) return;
  report({
    code: "LOOP_POLLS",
    severity: "warning",
    path,
    message: `Loop \`${step.id}\` asks again and again whether something has happened`,
    hint: "If the other side can tell, wait for its signal or event: `uses: wait`. Keep the loop only where nobody can tell.",
  });
}

/** What does not change the answer: only an `http` step that reads remains. */
const BYSTANDERS: readonly string[] = ["transform", "log", "sleep"];
const READING_METHODS: readonly string[] = ["GET", "HEAD"];

/** It pauses, carries nothing on, and does nothing but read over HTTP. */
function polls({ fields, body }: DraftStep): boolean {
  const loop = asObject(fields["loop"]);
  const steps = body?.steps ?? [];
  const uses = (name: string) => steps.some((step) => step.fields["uses"] === name);
  const pauses = uses("sleep") || (loop["delay"] !== undefined && loop["delay"] !== 0);
  return pauses && loop["carry"] === undefined && uses("http") && steps.every((step) => reads(step) || standsBy(step));
}

function standsBy({ fields }: DraftStep): boolean {
  return BYSTANDERS.includes(textOr(fields["uses"], ""));
}

function reads({ fields }: DraftStep): boolean {
  const { method = "GET" } = asObject(fields["with"]);
  return fields["uses"] === "http" && typeof method === "string" && READING_METHODS.includes(method.toUpperCase());
}
