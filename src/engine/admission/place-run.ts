import type { Admission } from "../../model/admission.ts";
import type { Graph } from "../../workflow/graph.ts";
import { type MaybePromise, proceed } from "../maybe-promise.ts";
import type { Placement } from "../placement.ts";
import { admissionOf, type Start } from "./admission-of.ts";

/** Where a run goes, and what it asks for before it may begin. */
export interface Place {
  readonly workerGroup: string;
  readonly admission: Admission | null;
}

/**
 * Places a run that is started now.
 *
 * @throws StepwellError `FLOW_KEY_INVALID`, `PRIORITY_INVALID` (thrown, or as a rejection)
 */
export function placeRun(placement: Pick<Placement, "refreshed" | "groupOf">, graph: Graph, start: Start): MaybePromise<Place> {
  return proceed(placement.refreshed(), () => {
    const workerGroup = placement.groupOf({ tenant: start.tenant, workflow: graph.name, topic: graph.topic });
    return proceed(admissionOf(graph, start, workerGroup), (asked) => ({ workerGroup, admission: asked ?? null }));
  });
}

/** As it is stored; one that asks for nothing but its group is stored without. */
export function admissionText(admission: Admission | null): string | null {
  const isNeeded = admission !== null && (admission.limiters.length > 0 || admission.priorityMs !== 0 || admission.gather !== null);
  return isNeeded ? JSON.stringify(admission) : null;
}
