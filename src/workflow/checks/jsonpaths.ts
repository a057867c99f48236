import { at } from "../at.ts";
import type { Draft } from "../draft.ts";
import type { Report } from "../findings.ts";
import { reasonOf } from "../reason.ts";
import type { StepTemplates } from "../step-templates.ts";

/** Reports `jsonpath:` queries that RFC 9535 does not allow. The parser is loaded only when a definition has one. */
export async function checkJsonPaths(draft: Draft, templates: readonly StepTemplates[], report: Report): Promise<void> {
  const queries = templates.flatMap(({ output }, ordinal) => (output?.kind === "jsonpath" ? [{ query: output.query, ordinal }] : []));
  if (queries.length === 0) return;
  const { compile } = await import("json-p3");
  for (const { query, ordinal } of queries) {
    try {
      compile(query);
    } catch (error) {
      const hint = "A query begins at the result: `jsonpath: $.body.items[*].id` (RFC 9535).";
      const path = [...at(draft.steps, ordinal).path, "output"];
      report({ code: "EXPRESSION_SYNTAX", path, message: `The JSONPath query cannot be parsed: ${reasonOf(error)}`, hint });
    }
  }
}
