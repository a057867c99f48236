import type { Template } from "../../expressions/template.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OperatorCatalog } from "../../operators/definition.ts";
import { at } from "../at.ts";
import type { CompiledLevel } from "../compile-level.ts";
import type { Report } from "../findings.ts";
import { type Path, parsePath } from "../path.ts";
import { asObject, textOr } from "../readers.ts";
import { didYouMean } from "../suggest.ts";

/** Reports operators that are not registered, input that they refuse, and slow ones without a timeout (S1-44). */
export function checkOperators(levels: readonly CompiledLevel[], defaults: JsonObject, catalog: OperatorCatalog, report: Report): void {
  const hasDefaultTimeout = defaults["timeout"] !== undefined;
  for (const { level, templates } of levels) {
    for (const { ordinal, id, path, fields } of level.steps) {
      const { with: input, compensate } = at(templates, ordinal);
      checkOperator({ fields, path, input, title: `Step \`${id}\`` }, catalog, hasDefaultTimeout, report);
      const undo = { fields: asObject(fields["compensate"]), path: [...path, "compensate"], input: compensate };
      checkOperator({ ...undo, title: `The compensation of \`${id}\`` }, catalog, hasDefaultTimeout, report);
    }
  }
}

/** Where an operator is used. */
interface Use {
  readonly fields: JsonObject;
  readonly path: Path;
  readonly input: Template | null;
  readonly title: string;
}

function checkOperator({ fields, path, input, title }: Use, catalog: OperatorCatalog, hasDefaultTimeout: boolean, report: Report): void {
  const name = textOr(fields["uses"], "");
  if (name === "") return;
  const operator = catalog.get(name);
  const place = [...path, "uses"];
  if (operator === undefined) {
    const hint = () => didYouMean(name, catalog.names());
    report({ code: "OPERATOR_UNKNOWN", path: place, message: `There is no operator \`${name}\``, hint });
    return;
  }
  for (const problem of operator.check?.(input) ?? []) report({ ...problem, path: [...path, "with", ...parsePath(problem.path)] });
  if (operator.slow && !hasDefaultTimeout && fields["timeout"] === undefined) {
    report({
      code: "TIMEOUT_MISSING",
      severity: "warning",
      path: place,
      message: `${title} waits for \`${name}\` without a timeout`,
      hint: "Set `timeout` on the step or under `defaults`.",
    });
  }
}
