/** `limit` and `limit-running` are the minimal engine of `limit.ts`; `ours` runs from src/, `ours-dist` from dist/. */
export type ContestantName = "ours" | "ours-dist" | "limit" | "limit-running";

/** An engine with one workflow, ready to be measured. */
export interface Contestant {
  /** Starts a run, waits until its start is durable and then until its end is durable. */
  run(): Promise<void>;
  /** Ends the engine and resolves with the number of runs that its file holds as completed. */
  close(): Promise<number>;
}
