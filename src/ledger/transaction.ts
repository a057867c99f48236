import type { AdmissionTables } from "./admission/tables.ts";
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
  /** For the one transaction that holds admission. */
  readonly admission: AdmissionTables;
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

  readonly retained: RetainedRuns;
}

/** Runs as retention sees them: without payloads, and deleted many at a time. Lists of ids have no duplicates. */
export interface RetainedRuns {
  /** Up to `limit` runs of a tenant with ids above `afterId`, in id order. */
  page(tenant: string, afterId: number, limit: number): Work<readonly RetainedRun[]>;
  /** Those of some runs that are there, in id order. */
  some(runIds: readonly number[]): Work<readonly RetainedRun[]>;
  /** What some runs and all runs below them have in common. */
  families(runIds: readonly number[]): Work<readonly Family[]>;
  /** Up to `limit` ids of some runs and of all runs below them, a parent before its children. */
  members(runIds: readonly number[], limit: number): Work<readonly number[]>;
  /** Up to `limit` ids of runs that steps of some runs started. */
  children(runIds: readonly number[], limit: number): Work<readonly number[]>;

  /** Deletes the rows of runs, and notes that all their other rows are to go. */
  remove(runIds: readonly number[]): Work<void>;
  /** Up to `limit` ids of removed runs that other rows may be left of. */
  removed(limit: number): Work<readonly number[]>;
  /** Deletes up to `limit` rows of a table that removed runs left, and gives back how many. */
  clear(table: TableOfRuns, runIds: readonly number[], limit: number): Work<number>;
  /** Nothing is left of these. */
  forget(runIds: readonly number[]): Work<void>;
}

/** The tables whose rows belong to runs. */
export const TABLES_OF_RUNS = ["step", "attempt", "event", "wait", "inbox", "subscription", "task"] as const;
export type TableOfRuns = (typeof TABLES_OF_RUNS)[number];

export type RetainedRun = Pick<RunRow, "id" | "publicId" | "workflow" | "status" | "parentRunId" | "createdAt" | "finishedAt">;

/** A run and all runs below it. */
export interface Family {
  readonly rootId: number;
  /** How many runs, and how many of them have ended. */
  readonly runs: number;
  readonly ended: number;
  /** When the last of those that have ended did. */
  readonly lastEndAt: number | null;
  /** When the newest run with an idempotency key was created; null without one. */
  readonly newestKeyAt: number | null;
}

/** Where subscriptions and kept events stand. */
export interface EventKey {
  readonly tenant: string;
  readonly event: string;
  readonly field: string;
  readonly value: string;
}

/**
 * Held in this order, so that two transactions never wait for each other: the right to delete what is kept no longer, or to admit runs, of
 * which there is one each; an event, runs, a task of one of them.
 */
export type Held =
  | { readonly retention: true }
  | { readonly admission: true }
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
