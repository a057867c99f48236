export { expression, orElse, text } from "./builder/expression.ts";
export type { Held } from "./builder/reference.ts";
export { type BuiltWorkflow, type WorkflowBuilder, workflow } from "./builder.ts";
export { type Compile, compileDefinition, type Loaded, loadWorkflow } from "./compile.ts";
export { drawDot } from "./draw/dot.ts";
export { drawMermaid } from "./draw/mermaid.ts";
export type { Definition, Graph } from "./graph.ts";
export { parseDefinition } from "./parse.ts";
export { definitionSchema } from "./schema.ts";
