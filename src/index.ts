/** The public surface of Stepwell. */
export type {
  Concurrency,
  Decision,
  EngineIdentity,
  Interceptor,
  LeasedTask,
  LifecycleEvent,
  Listener,
  PollOptions,
  PublishOptions,
  PublishResult,
  RunOutcome,
  RunPageResult,
  RunRef,
  RunResult,
  RunSummary,
  SignalOptions,
  StartOptions,
  StepResult,
  TaskDetail,
  TaskFilter,
  TaskPageResult,
} from "./engine/api.ts";
export type { ExpectedEvent, ItemCounts, RunExplanation, StepExplanation, WaitsFor } from "./engine/explain/explanation.ts";
export { currentRun } from "./engine/run-context.ts";
export type { TaskCommands } from "./engine/task-commands.ts";
export { type BuiltDefinition, type RunFilter, Stepwell, type StepwellOptions } from "./main/stepwell.ts";
export type { ErrorCode } from "./model/error-codes.ts";
export { type RecordedError, StepwellError } from "./model/errors.ts";
export type { Json, JsonObject } from "./model/json.ts";
export type { Problem } from "./model/problem.ts";
export type { KeptFor, RetentionOptions } from "./model/retention.ts";
export type { SqlClient, TransactionWork } from "./model/sql-client.ts";
export type { RunStatus, StepStatus } from "./model/status.ts";
export type { Logger, Operator, OperatorContext, ResumableOperator, RunContext, Wake } from "./operators/operator.ts";
export type { AwaitedEvent, SuspendRequest, Suspension, TaskRequest } from "./operators/suspension.ts";
export type { Definition } from "./workflow/graph.ts";
export {
  type BuiltWorkflow,
  expression,
  type Loaded,
  loadWorkflow,
  orElse,
  text,
  type WorkflowBuilder,
  workflow,
} from "./workflow/index.ts";
