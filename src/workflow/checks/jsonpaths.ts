import { at } from "../at.ts";
import type { CompiledLevel } from "../compile-level.ts";
import type { Report } from "../findings.ts";
import { reasonOf } from "../reason.ts";

/** Reports `jsonpath:` queries that RFC 9535 does not allow. The parser is loaded only when a definition has one. */
export async function checkJsonPaths(levels: readonly CompiledLevel[], report: Report): Promise<void> {
  const queries = levels.flatMap(({ level, templates }) =>
    templates.flatMap(({ output }, ordinal) =>
      output?.kind === "jsonpath" ? [{ query: output.query, step: at(level.steps, ordinal) }] : [],
    ),
  );
  if (queries.length === 0) return;
  const { compile } = await import("json-p3");
  for (const { query, step } of queries) {
    try {
      compile(query);
    } catch (error) {
      const hint = "A query begins at the result: `jsonpath: $.body.items[*].id` (RFC 9535).";
      const path = [...step.path, "output"];
      report({ code: "EXPRESSION_SYNTAX", path, message: `The JSONPath query cannot be parsed: ${reasonOf(error)}`, hint });
    }
  }
}
