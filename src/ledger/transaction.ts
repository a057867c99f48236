import type { LedgerWrite } from "./own-writes.ts";
import type { EndedStep, InboxRow, KeptEventRow, RunRow, SubscriptionRow, TaskRow } from "./rows.ts";
import type { Work } from "./work.ts";
import type { PostInbox } from "./writes.ts";

/** Does work in a transaction of its own; nothing of it is written when it throws. */
export type Within = <T>(work: (transaction: Transaction) => Work<T>) => Promise<T>;

/** An open transaction of any backend: what the operations need that are written once for all of them. */
export interface Transaction {
  /** The time of the commit. */
  readonly now: number;
  /** @throws StepwellError `LEDGER_CONFLICT` when the write breaks a guard */
  apply(write: LedgerWrite): Work<void>;
  /** Keeps others from changing something until the transaction ends; a backend with one writer need not do anything. */
  hold(held: Held): Work<void>;
  /** Accepts a row into an inbox; undefined when its run has ended. */
  post(write: PostInbox): Work<InboxRow | undefined>;

  run(tenant: string, publicId: string): Work<RunRow | undefined>;
  /** The internal id alone: a run's row asks all its steps for their revision. */
  runId(tenant: string, publicId: string): Work<number | undefined>;
  /** The signal that a run accepted under an id of its sender. */
  signal(runId: number, signalId: string): Work<InboxRow | undefined>;
  /** Whether an open wait of the run has this signal's name. */
  awaits(runId: number, name: string): Work<boolean>;

  /** In the order in which they were inserted. */
  subscriptions(key: EventKey): Work<readonly SubscriptionRow[]>;
  isSubscribed(subscription: SubscriptionRow): Work<boolean>;
  /** What is known of an event that was published. */
  keptEvent(tenant: string, event: string, eventId: string): Work<PublishedEvent | undefined>;
  /** Up to `limit` of those that have not expired, the oldest first, ids above `after`. */
  keptEvents(key: EventKey, after: number, limit: number): Work<readonly KeptEvent[]>;
  /** Up to `limit` ids of events that have expired. */
  expiredEvents(limit: number): Work<readonly number[]>;

  task(tenant: string, publicId: string): Work<TaskRow | undefined>;
  /** Every stored step of a run, by ordinal. */
  allSteps(runId: number): Work<readonly EndedStep[]>;
  hasAttempt(runId: number, ordinal: number, attempt: number): Work<boolean>;

  /** Work of a topic whose time has come, the longest available first. */
  claimableTasks(tenant: string, topic: string, limit: number): Work<readonly TaskRow[]>;
}

/** Where subscriptions and kept events stand. */
export interface EventKey {
  readonly tenant: string;
  readonly event: string;
  readonly field: string;
  readonly value: string;
}

/** Held in this order, so that two transactions never wait for each other: an event, runs, a task of one of them. */
export type Held =
  | { readonly event: Pick<EventKey, "tenant" | "event"> }
  | { readonly runs: readonly number[] }
  | { readonly task: { readonly tenant: string; readonly publicId: string } };

/** Checked when it is read: damage is the business of whom the event is for. */
export interface KeptEvent {
  readonly id: number;
  /** @throws StepwellError `LEDGER_CORRUPT` */
  read(): KeptEventRow;
}

export interface PublishedEvent {
  readonly id: number;
  readonly isKept: boolean;
  readonly expiresAt: number;
}
