export { type DecisionKind, decisionKind, decisionStep } from "./decision.ts";
export type { RestoredStep } from "./restore.ts";
export { NO_DECISION, type Outcome, Scheduler, type StepCounts } from "./scheduler.ts";
export type { Ending } from "./state.ts";
export { createTopology, type GraphShape, type Topology } from "./topology.ts";
