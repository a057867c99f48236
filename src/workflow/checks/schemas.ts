import { canonicalJson, isJsonObject, type Json, type JsonObject } from "../../model/json.ts";
import type { OperatorCatalog } from "../../operators/definition.ts";
import { type Draft, levelsIn } from "../draft.ts";
import type { Report } from "../findings.ts";
import type { Path } from "../path.ts";
import { asObject, textOr } from "../readers.ts";
import { reasonOf } from "../reason.ts";

interface SchemaFault {
  readonly message: string;
  /** Place inside the schema. */
  readonly path: Path;
}

/** Reports JSON Schemas (2020-12) that cannot be used. Ajv is loaded only when a definition has one. */
export async function checkSchemas(draft: Draft, operators: OperatorCatalog | null, report: Report): Promise<void> {
  const schemas: { readonly schema: JsonObject; readonly path: Path }[] = [];
  const collect = (schema: Json | undefined, path: Path) => {
    if (isJsonObject(schema)) schemas.push({ schema, path });
  };
  const collectFromInput = (use: JsonObject, path: Path) => {
    for (const name of operators?.get(textOr(use["uses"], ""))?.schemas ?? []) {
      const schema = asObject(use["with"])[name];
      // with an expression inside it is known only when the step runs
      if (!JSON.stringify(schema ?? null).includes("{{")) collect(schema, [...path, "with", name]);
    }
  };
  collect(draft.definition["input"], ["input"]);
  for (const { steps } of levelsIn(draft.root)) {
    for (const { fields, path } of steps) {
      collect(fields["schema"], [...path, "schema"]);
      collectFromInput(fields, path);
      collectFromInput(asObject(fields["compensate"]), [...path, "compensate"]);
    }
  }
  if (schemas.length === 0) return;
  const faultsOf = await schemaChecker();
  for (const { schema, path } of schemas) {
    for (const { message, path: inner } of faultsOf(schema)) {
      const hint = "A schema is written as JSON Schema 2020-12.";
      report({ code: "SCHEMA_INVALID", path: [...path, ...inner], message: `Not a valid JSON Schema: ${message}`, hint });
    }
  }
}

async function schemaChecker(): Promise<(schema: JsonObject) => readonly SchemaFault[]> {
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const known = new Map<string, readonly SchemaFault[]>();
  return (schema) => {
    const text = canonicalJson(schema);
    const faults = known.get(text) ?? findFaults(schema);
    known.set(text, faults);
    return faults;
  };

  /** A compiler of its own for each schema, so that equal `$id`s in two steps do not meet. */
  function findFaults(schema: JsonObject): readonly SchemaFault[] {
    const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false, validateFormats: false });
    try {
      // Ajv's own word: it would turn the answer of a validation into a promise.
      if (Object.hasOwn(schema, "$async")) return [{ message: "`$async` is not part of it", path: ["$async"] }];
      if (ajv.validateSchema(schema) !== true && ajv.errors) {
        return ajv.errors.map(({ instancePath, message }) => ({ message: String(message), path: pointerPath(instancePath) }));
      }
      ajv.compile(schema);
      return [];
    } catch (error) {
      return [{ message: reasonOf(error), path: [] }];
    }
  }
}

/** RFC 6901. */
function pointerPath(pointer: string): Path {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
