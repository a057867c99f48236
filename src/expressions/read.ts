import { readList, readPath, readStream } from "./path.ts";
import type { Segment } from "./simple.ts";
import type { Scope } from "./template.ts";

/** A path of the scope that an expression reads. */
export interface Read {
  readonly segments: readonly Segment[];
  /** value: as it comes; list: sequences stay lists; stream: the items for the next step of a longer path. */
  readonly mode: "value" | "list" | "stream";
  /** The path that must be there, null when its absence is allowed. */
  readonly strict: readonly Segment[] | null;
}

export function readScope(scope: Scope, { segments, mode }: Read): unknown {
  if (mode === "value") return readPath(scope, segments);
  return mode === "list" ? readList(scope, segments) : readStream(scope, segments);
}
