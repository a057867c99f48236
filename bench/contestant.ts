/** `limit` and `limit-running` are the minimal engine of `limit-engine.ts`; `ours` runs from src/, `ours-dist` from dist/. */
export type ContestantName = "ours" | "ours-dist" | "limit" | "limit-running";

/** Where an engine keeps its runs in one measurement: in a file of the folder or, when there is one, in the database of the URL. */
export interface Place {
  readonly directory: string;
  readonly database: string | null;
}

/** An engine with one workflow, ready to be measured. */
export interface Contestant {
  /** Starts a run, waits until its start is durable and then until its end is durable. */
  run(): Promise<void>;
  /** Ends the engine and resolves with the number of runs that its file or database holds as completed. */
  close(): Promise<number>;
}
