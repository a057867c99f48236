import type { ErrorObject, ValidateFunction } from "ajv";
import type { ErrorCode } from "../model/error-codes.ts";
import { StepwellError } from "../model/errors.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { MaybePromise } from "./maybe-promise.ts";

/** Checks values against JSON Schema 2020-12. Compiling costs milliseconds, so each schema object is compiled once; ajv loads with the first. */
export class Schemas {
  readonly #compiled = new Map<JsonObject, ValidateFunction>();
  #compiler: Promise<Compiler> | undefined;

  /**
   * @param what names the value in the message, for example `the input of "order"`
   * @throws StepwellError with `code`, listing every violation (thrown, or as a rejection the first time)
   */
  check(schema: JsonObject, value: Json, code: ErrorCode, what: string): MaybePromise<void> {
    const compiled = this.#compiled.get(schema);
    if (compiled !== undefined) {
      refuseUnless(compiled, value, code, what);
      return undefined;
    }
    this.#compiler ??= loadCompiler();
    return this.#compiler.then((compiler) => {
      const validate = compiler.compile(schema);
      this.#compiled.set(schema, validate);
      refuseUnless(validate, value, code, what);
    });
  }

  /** The same for a schema that does not come again: nothing of it is kept. */
  async checkOnce(schema: JsonObject, value: Json, code: ErrorCode, what: string): Promise<void> {
    this.#compiler ??= loadCompiler();
    const compiler = await this.#compiler;
    try {
      refuseUnless(compiler.compile(schema), value, code, what);
    } finally {
      compiler.forget(schema);
    }
  }
}

interface Compiler {
  compile(schema: JsonObject): ValidateFunction;
  forget(schema: JsonObject): void;
}

async function loadCompiler(): Promise<Compiler> {
  const [{ Ajv2020 }, formats] = await Promise.all([import("ajv/dist/2020.js"), import("ajv-formats")]);
  const ajv = new Ajv2020({ allErrors: true, strict: false, useDefaults: false, addUsedSchema: false });
  formats.default.default(ajv);
  return { compile: (schema) => ajv.compile(schema), forget: (schema) => void ajv.removeSchema(schema) };
}

function refuseUnless(validate: ValidateFunction, value: Json, code: ErrorCode, what: string): void {
  if (validate(value)) return;
  const violations = (validate.errors ?? []).map((error) => describe(error));
  throw new StepwellError(code, `${what} does not match its schema: ${violations.join("; ")}`, { data: { violations } });
}

function describe(error: ErrorObject): string {
  const place = error.instancePath === "" ? "it" : error.instancePath.slice(1).replaceAll("/", ".");
  const extra: unknown = error.params["additionalProperty"] ?? error.params["allowedValues"];
  const detail = extra === undefined ? "" : ` (${Array.isArray(extra) ? extra.join(", ") : JSON.stringify(extra)})`;
  return `${place} ${error.message ?? "is wrong"}${detail}`;
}
