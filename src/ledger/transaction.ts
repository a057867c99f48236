import type { LedgerWrite } from "./own-writes.ts";
import type { EndedStep, InboxRow, KeptEventRow, RunRow, SubscriptionRow, TaskRow } from "./rows.ts";
import type { PostInbox } from "./writes.ts";

/** An open transaction of any backend: what the operations need that are written once for all of them. */
export interface Transaction {
  /** The time of the commit. */
  readonly now: number;
  /** @throws StepwellError `LEDGER_CONFLICT` when the write breaks a guard */
  apply(write: LedgerWrite): void;
  /** Accepts a row into an inbox; undefined when its run has ended. */
  post(write: PostInbox): InboxRow | undefined;

  run(tenant: string, publicId: string): RunRow | undefined;
  /** The internal id alone: a run's row asks all its steps for their revision. */
  runId(tenant: string, publicId: string): number | undefined;
  /** The signal that a run accepted under an id of its sender. */
  signal(runId: number, signalId: string): InboxRow | undefined;
  /** Whether an open wait of the run has this signal's name. */
  awaits(runId: number, name: string): boolean;

  /** In the order in which they were inserted. */
  subscriptions(tenant: string, event: string, field: string, value: string): readonly SubscriptionRow[];
  isSubscribed(subscription: SubscriptionRow): boolean;
  /** What is known of an event that was published. */
  keptEvent(tenant: string, event: string, eventId: string): PublishedEvent | undefined;
  /** Those that have not expired, the oldest first; each is read when it is asked for. Nothing may be written before the loop is left. */
  keptEvents(tenant: string, event: string, field: string, value: string): Iterable<KeptEventRow>;
  /** Up to `limit` ids of events that have expired. */
  expiredEvents(limit: number): readonly number[];
  nextEventId(): number;

  task(tenant: string, publicId: string): TaskRow | undefined;
  /** Every stored step of a run, by ordinal. */
  allSteps(runId: number): readonly EndedStep[];
  hasAttempt(runId: number, ordinal: number, attempt: number): boolean;

  /** Work of a topic whose time has come, the longest available first. */
  claimableTasks(tenant: string, topic: string, limit: number): readonly TaskRow[];
}

export interface PublishedEvent {
  readonly id: number;
  readonly isKept: boolean;
  readonly expiresAt: number;
}
