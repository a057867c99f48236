import { type Compile, compileDefinition } from "../../src/workflow/index.ts";

/** Compiles each definition once for all engines of a seed: a graph is never written to, and most of an engine's beginning is compiling. */
export function compileOnce(): Compile {
  const known = new Map<string, ReturnType<Compile>>();
  return (definition, options) => {
    const name = `${options.operators === null ? "stored" : "new"} ${JSON.stringify(definition)}`;
    const compiled = known.get(name) ?? compileDefinition(definition, options);
    known.set(name, compiled);
    return compiled;
  };
}
