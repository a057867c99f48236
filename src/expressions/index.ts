import { type Json, toJson } from "../model/json.ts";
import { RecentlyUsed } from "./cache.ts";
import { compileTemplate as compile, containsFullExpression } from "./compile.ts";
import { loadJsonata } from "./jsonata.ts";
import type { CompiledTemplate, CompileOptions } from "./template.ts";

export type * from "./template.ts";
export { containsFullExpression, loadJsonata };

const CACHED_TEMPLATES = 2_000;
/** Larger sources are rare, and keeping them as keys would cost more than compiling them. */
const CACHED_SOURCE_CHARACTERS = 4_096;
const cache = new RecentlyUsed<CompiledTemplate>(CACHED_TEMPLATES);

/**
 * Compiles a value whose strings may hold `{{ … }}` (SPEC §2.1); everything wrong with it is in `problems`, and a template with
 * problems cannot be evaluated. Two braces as text are written `{{ '{{' }}`.
 *
 * `loadJsonata()` must have resolved when the source contains a full expression; equal sources are compiled once.
 */
export function compileTemplate(source: Json, options: CompileOptions): CompiledTemplate {
  const key = `${options.expect}${options.bare === true ? " bare " : " "}${JSON.stringify(source)}`;
  if (key.length > CACHED_SOURCE_CHARACTERS) return compile(source, options);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const compiled = compile(toJson(source, "a template"), options);
  cache.set(key, compiled);
  return compiled;
}
