import type { InboxRow, OpenInboxRow } from "./rows.ts";

/**
 * How an engine comes by the runs that it drives. In a ledger that has one engine everything is that engine's, and these are reads. In a
 * shared one, what is given is the engine's own from then on, until it parks the run, ends it, or loses its lease.
 */
export interface Claims {
  /** Gives the engine of an epoch up to `limit` runs whose turn it is; nothing to one that does not own the ledger any more. */
  admit(epoch: number, limit: number): Promise<Admissions>;
  /**
   * Up to `limit` ids in id order, above `afterId`; paused runs are left out.
   *
   * @param operators in a shared ledger, of `no_worker`: only runs that want one of these; others are for engines that have it
   */
  runs(pickup: Pickup, afterId: number, limit: number, operators?: readonly string[]): Promise<readonly number[]>;
  /**
   * Up to `limit` parked runs whose time has come, the longest overdue first, from behind `after`. A run with several such
   * waits may come once for each due time.
   */
  due(after: DueRun | undefined, limit: number): Promise<readonly DueRun[]>;
  /** Claims a run of which the engine has heard; false when it has ended or another engine has it. */
  one(runId: number): Promise<boolean>;
  /**
   * What others sent to runs: open inbox rows with ids above `afterId`, oldest first. A row may be given again; in a shared ledger only
   * those of the engine's own runs are given, until it asks with the id of the last one: then it has delivered them.
   */
  sent(afterId: number, limit: number): Promise<readonly OpenInboxRow[]>;
}

export interface Admissions {
  /** What the engine has from now on. */
  readonly runs: readonly number[];
  /** Cancels: of runs that a limit does not let begin, and of holders that must make room. */
  readonly accepted: readonly InboxRow[];
  /** There may be more for whoever has room. */
  readonly isMore: boolean;
  /** When time alone lets another run begin, by the ledger's clock; null when it does not, or as many runs were given as were asked for. */
  readonly nextAt: number | null;
}

/** Where a run stands that waits for its turn. */
export interface RunTurn {
  readonly workerGroup: string;
  /** Whether a worker is there that serves the group. */
  readonly isServed: boolean;
  /** Runs that go before it in its partition; `LIMITS.countedAhead` stands for that and more. Null as long as it has no place in the queue. */
  readonly ahead: number | null;
  /** When it gets one, by the ledger's clock; null when it has one or gets it now. */
  readonly notBefore: number | null;
  /** The limit that its partition stands aside for. */
  readonly limiter: {
    readonly name: string;
    readonly limitedTo: number;
    readonly periodMs: number | null;
    readonly openAt: number;
  } | null;
}

/**
 * `left_behind`: RUNNING or QUEUED, or SUSPENDED while an engine had them in memory, when that engine died or stopped. `no_worker`:
 * SUSPENDED for the want of an operator.
 */
export type Pickup = "left_behind" | "no_worker";

export interface DueRun {
  readonly runId: number;
  readonly dueAt: number;
}
