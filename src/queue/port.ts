import type { StepwellError } from "../model/errors.ts";

/** A run that is stored QUEUED, as its job names it. */
export interface AnnouncedRun {
  readonly publicId: string;
  readonly tenant: string;
  readonly versionId: number;
  readonly workerGroup: string;
  /** Nobody need be woken for it before this is over. */
  readonly delayMs?: number;
}

/**
 * Carries the word that runs are stored QUEUED from those who store them to engines that have room. It carries hints alone: the ledger decides
 * which run may begin (ADR 8), so a word that comes twice, late or for a run that is gone does nothing, and one that is lost costs
 * the time until an engine looks by itself.
 */
export interface Queue {
  /** From now on this engine is woken, and none before it. */
  consume(consumer: QueueConsumer): void;
  /** A run is stored. Returns at once and never fails: no commit, no start and no end of a process waits for a queue. */
  announce(run: AnnouncedRun): void;
  /** Nobody needs to be woken for a run any more. */
  withdraw(publicId: string): void;
  /** The engine, which had no room, may have some again. Called many times. */
  roomMade(): void;
  /**
   * Whether the engine looks of its own accord now; asked many times a second.
   *
   * @param hasLedgerChanged whether another process has written to the ledger since the last call
   */
  isTimeToLook(hasLedgerChanged: boolean): boolean;
  /** Wakes nobody any more. Takes a second at most, whatever became of the queue. */
  close(): Promise<void>;
}

/** An engine as a queue sees it. */
export interface QueueConsumer {
  /** How many more runs it may hold that it does not know of; while it is 0, the words are left to others. */
  freeRuns(): number;
  /** Whether it may be given runs of a worker group; the word of others is for others. */
  serves(workerGroup: string): boolean;
  /** There may be something: asks the ledger, and resolves when it has taken up what it was given. */
  look(): Promise<void>;
  told(news: QueueNews): void;
}

/** What an engine tells its listeners of the queue. */
export type QueueNews =
  /** The queue does not answer: the engine looks at the ledger by itself until it does. */
  | { readonly type: "queue.stalled"; readonly error: StepwellError }
  | { readonly type: "queue.resumed" }
  /** Something about the queue is not as it should be; it is used nevertheless. */
  | { readonly type: "queue.warned"; readonly error: StepwellError }
  /** A job is not one of ours: it was put aside and is not tried again. */
  | { readonly type: "job.refused"; readonly jobId: string; readonly error: StepwellError };
