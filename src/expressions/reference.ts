import type { Segment } from "./simple.ts";

/** A path that an expression reads, before its place in the template is known. */
export interface FoundReference {
  readonly root: string;
  /** The names after the root, up to the first index. */
  readonly path: readonly string[];
  readonly optional: boolean;
}

export function referenceTo(segments: readonly Segment[], optional: boolean): FoundReference {
  const [root, ...rest] = segments;
  const index = rest.findIndex((segment) => typeof segment === "number");
  const names = index === -1 ? rest : rest.slice(0, index);
  return { root: String(root), path: names.map(String), optional };
}
