export { decisionKind, decisionStep } from "./decision.ts";
export { NO_DECISION, type Outcome, Scheduler } from "./scheduler.ts";
export type { Ending } from "./state.ts";
export { createTopology, type GraphShape, type Topology } from "./topology.ts";
