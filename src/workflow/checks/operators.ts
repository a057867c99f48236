import type { Template } from "../../expressions/template.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OperatorCatalog } from "../../operators/definition.ts";
import { at } from "../at.ts";
import type { CompiledLevel } from "../compile-level.ts";
import type { DraftStep } from "../draft.ts";
import type { Report } from "../findings.ts";
import { parsePath } from "../path.ts";
import { asText } from "../readers.ts";
import { didYouMean } from "../suggest.ts";

/** Reports operators that are not registered, input that they refuse, and slow ones without a timeout (S1-44). */
export function checkOperators(levels: readonly CompiledLevel[], defaults: JsonObject, catalog: OperatorCatalog, report: Report): void {
  const hasDefaultTimeout = defaults["timeout"] !== undefined;
  for (const { level, templates } of levels) {
    level.steps.forEach((step, ordinal) => {
      const name = asText(step.fields["uses"]);
      if (name !== undefined && name !== "") checkOperator(step, name, at(templates, ordinal).with, catalog, hasDefaultTimeout, report);
    });
  }
}

function checkOperator(
  step: DraftStep,
  name: string,
  input: Template | null,
  catalog: OperatorCatalog,
  hasDefaultTimeout: boolean,
  report: Report,
): void {
  const operator = catalog.get(name);
  const path = [...step.path, "uses"];
  if (operator === undefined) {
    report({ code: "OPERATOR_UNKNOWN", path, message: `There is no operator \`${name}\``, hint: () => didYouMean(name, catalog.names()) });
    return;
  }
  for (const problem of operator.check?.(input) ?? []) {
    report({ ...problem, path: [...step.path, "with", ...parsePath(problem.path)] });
  }
  if (operator.slow && !hasDefaultTimeout && step.fields["timeout"] === undefined) {
    report({
      code: "TIMEOUT_MISSING",
      severity: "warning",
      path,
      message: `Step \`${step.id}\` waits for \`${name}\` without a timeout`,
      hint: "Set `timeout` on the step or under `defaults`.",
    });
  }
}
