import type { FlowGather, FlowLimit } from "../../workflow/flow/flow.ts";

/** Two of a tenant are equal only where all their parts are: a JSON list has no separator that a key could hold. */
export function flowId(workflow: string, kind: FlowLimit["kind"] | FlowGather["kind"], index: number, key: string | null): string {
  return JSON.stringify(key === null ? [workflow, kind, index] : [workflow, kind, index, key]);
}
