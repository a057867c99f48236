import type { StepwellError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { RetentionPolicy } from "../model/retention.ts";
import type { RunStatus } from "../model/status.ts";
import type { CallerTransactions } from "./caller-transactions.ts";
import type { Claims, RunTurn } from "./claims.ts";
import type { Routes, Shares } from "./placement.ts";
import type {
  AttemptRow,
  HistoryRow,
  InboxKind,
  InboxRow,
  JsonText,
  OpenInboxRow,
  RunRow,
  StepRow,
  StepRunRow,
  TaskRow,
  TaskStatus,
  VersionRow,
  VersionStep,
  WaitRow,
  WaitView,
} from "./rows.ts";
import type { Batch, CommitOutcome } from "./writes.ts";

/**
 * The durable truth. Every method's effect is on stable storage when its promise resolves.
 *
 * Errors of every method: `LEDGER_BUSY`, `LEDGER_FULL`, `LEDGER_UNREACHABLE`, `LEDGER_READ_ONLY`, `LEDGER_CORRUPT`, `LEDGER_IO`,
 * `LEDGER_UNAVAILABLE`. After any of them the outcome of a `commit` is "nothing was written", except `LEDGER_IO`, whose
 * outcome is unknown. After `LEDGER_UNREACHABLE` that of any other method is unknown: what it asked for may have been done.
 */
export interface Ledger {
  /** How many commits may be in flight at once; a run always uses the same lane. */
  readonly lanes: number;
  /** Whether several engines may own it at once; each drives the runs that it has claimed. */
  readonly isShared: boolean;
  /** What suspended runs wait for. */
  readonly waits: WaitReads;
  readonly claims: Claims;
  readonly events: Events;
  readonly tasks: Tasks;
  /** Null where nobody else's tables can be written in one commit with the ledger. */
  readonly transactions: CallerTransactions | null;
  readonly retention: Retention;
  readonly shares: Shares;
  readonly routes: Routes;

  /**
   * Takes ownership for one engine under a new epoch. In a ledger that is not shared, an engine that held it before is fenced from
   * then on; in a shared one each lives on its own lease.
   * @throws StepwellError `LEDGER_OWNED` while another live engine holds one that is not shared
   */
  own(worker: WorkerIdentity, events?: OwnerEvents): Promise<Ownership>;

  /**
   * Writes the batch in one transaction, on disk when it resolves. A unit whose run's inbox moved on is left out.
   * @throws StepwellError `LEDGER_CONFLICT` when a row breaks a guard or a constraint; then nothing of the batch was written
   */
  commit(batch: Batch): Promise<CommitOutcome>;

  /** Reserves `count` successive internal run ids and returns the first. */
  reserveRunIds(count: number): Promise<number>;

  /** Stores a version and its steps unless a version of this workflow with the same hash exists; returns the stored one. */
  putVersion(version: NewVersion): Promise<VersionRow>;
  getVersion(versionId: number): Promise<VersionRow | undefined>;
  /** The newest version of a workflow, or the newest that bears a label. */
  latestVersion(tenant: string, workflow: string, label?: string): Promise<VersionRow | undefined>;

  /** Inserts a QUEUED run from a process that does not own the ledger; whoever owns it claims the run. */
  enqueueRun(run: QueuedRun): Promise<Enqueued>;
  /**
   * Accepts a signal for a run that has not ended: increments its `inbox_seq` and stores the row under that number. A signal
   * whose id the run has accepted before changes nothing and answers the row that is there.
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_FINISHED`
   */
  accept(entry: InboxEntry): Promise<OpenInboxRow>;

  /**
   * Makes a FAILED run SUSPENDED again, in one transaction: steps that failed it wait for another attempt that is due now, what
   * fell with them is PENDING again, and a row of kind `retry` is in its inbox.
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_NOT_FAILED` also for a run whose steps were undone by compensation
   */
  reopenRun(tenant: string, publicId: string, actor: string): Promise<InboxRow>;

  getRun(tenant: string, publicId: string): Promise<RunRow | undefined>;
  /** The run that a key started, with the hash of what was asked then. */
  findByIdempotencyKey(tenant: string, workflow: string, key: string): Promise<{ readonly run: RunRow; readonly hash: string } | undefined>;
  listRuns(query: RunQuery): Promise<RunPage>;
  /** Those of some runs that have ended, and those that are not there. */
  findEnds(tenant: string, publicIds: readonly string[]): Promise<RunEnds>;
  /** Every step of a run in declaration order, PENDING ones included. */
  listSteps(tenant: string, publicId: string): Promise<readonly StepRunRow[]>;
  listAttempts(tenant: string, publicId: string): Promise<readonly AttemptRow[]>;
  listHistory(tenant: string, publicId: string): Promise<readonly HistoryRow[]>;

  /** Up to `limit` ids of runs that have not ended, in id order, above `afterId`. */
  unfinished(afterId: number, limit: number): Promise<readonly number[]>;
  /** What is needed to rebuild one run from its stored rows. */
  loadRun(runId: number): Promise<StoredRun | undefined>;
  /** Whether another process wrote since the last call; cheap enough to ask every 25 ms. */
  changedElsewhere(): Promise<boolean>;

  close(): Promise<void>;
}

/** What parked runs wait for: SUSPENDED ones without an owner. Due times are judged by the ledger's clock; paused runs are left out. */
export interface WaitReads {
  /** The ledger's clock, milliseconds since the Unix epoch: it alone says whether a time has come. */
  now(): Promise<number>;
  /** When the next wait of a parked run falls due, which may be in the past; null when time wakes none. */
  nextDue(): Promise<number | null>;
  listWaits(tenant: string, publicId: string): Promise<readonly WaitView[]>;
  /** Of a run that waits for its turn; undefined for one that does not. */
  turnOf(tenant: string, publicId: string): Promise<RunTurn | undefined>;
  /** Everything that a run was sent, in acceptance order. */
  listSignals(tenant: string, publicId: string): Promise<readonly InboxRow[]>;
  /** The runs that steps of a run started, oldest first. */
  listChildren(tenant: string, publicId: string): Promise<readonly RunRow[]>;
}

export interface Events {
  /**
   * Gives an event to every open subscription that matches, in one transaction; when there is none, the event is kept for the
   * first one that comes within `retainMs`. An id that was published within that time changes nothing.
   * @throws StepwellError `VALUE_TOO_LARGE` when the data has too many members to match
   */
  publish(entry: EventEntry): Promise<Published>;
}

export interface EventEntry {
  readonly tenant: string;
  readonly event: string;
  readonly id: string;
  readonly data: Json;
  readonly retainMs: number;
}

export interface Published {
  /** False for an id that was published before. */
  readonly isNew: boolean;
  /** It waits for a subscription. */
  readonly isKept: boolean;
  /** The inbox rows that it became. */
  readonly accepted: readonly InboxRow[];
}

/**
 * Work that people and remote workers do. Everything that changes a task is one transaction with the wake of its step.
 *
 * Errors: `TASK_NOT_FOUND`; `TASK_CLOSED` with who was first and what they decided; `TASK_EXPIRED` by the ledger's clock;
 * `TASK_LEASE_LOST` for a token that is not the present one.
 */
export interface Tasks {
  /** Oldest first. */
  list(query: TaskQuery): Promise<TaskPage>;
  get(tenant: string, publicId: string): Promise<TaskRow | undefined>;
  /** Whether the actor may decide, and whether the form is right, is for the caller to check: neither ever changes. */
  decide(entry: TaskDecision): Promise<TaskOutcome>;
  /** Claims up to `limit` work items of a topic, those that have waited longest first; each is an attempt. */
  poll(request: TaskPoll): Promise<readonly TaskRow[]>;
  /** Claims one work item that nobody has, also while it waits for its next attempt. */
  claim(lease: TaskLease, worker: string): Promise<TaskRow>;
  heartbeat(lease: TaskLease): Promise<TaskRow>;
  complete(lease: TaskLease, payload: Json): Promise<TaskOutcome>;
  fail(lease: TaskLease, failure: TaskFailure): Promise<TaskRow>;
  /** DEAD_LETTER → READY. */
  restore(tenant: string, publicId: string): Promise<TaskRow>;
}

export interface TaskQuery {
  readonly tenant: string;
  readonly status?: TaskStatus;
  readonly topic?: string;
  /** Public id of a run. */
  readonly runId?: string;
  /** Only what this person, or one of their groups, is assigned to, or nobody in particular is. */
  readonly visibleTo?: { readonly user: string; readonly groups: readonly string[] };
  readonly cursor?: string;
  readonly limit: number;
}

export interface TaskPage {
  readonly tasks: readonly TaskRow[];
  readonly next: string | undefined;
}

export interface TaskDecision {
  readonly tenant: string;
  readonly publicId: string;
  readonly isApproved: boolean;
  readonly actor: string;
  readonly comment: string | null;
  readonly form: Json;
}

export interface TaskPoll {
  readonly tenant: string;
  readonly topic: string;
  readonly worker: string;
  /** A new secret for each poll; whoever has it speaks for the tasks that it claimed. */
  readonly token: string;
  readonly limit: number;
}

export interface TaskLease {
  readonly tenant: string;
  readonly publicId: string;
  readonly token: string;
}

export interface TaskFailure {
  readonly error: { readonly code: string; readonly message: string };
  readonly isRetryable: boolean;
}

/** A task that is DONE, and the inbox row that wakes its step. */
export interface TaskOutcome {
  readonly task: TaskRow;
  readonly accepted: InboxRow;
}

/**
 * Deletes runs that have ended and are kept no longer. A run goes with all runs below it. What is removed cannot be read any more at once;
 * the rows that it leaves are cleared away afterwards, a few at a time, by whoever comes. Several may do it at once: they take turns.
 */
export interface Retention {
  /** Looks at `limit` runs with ids above `afterId`, and deletes nothing. */
  find(query: RetentionQuery, afterId: number, limit: number): Promise<PrunablePage>;
  /** Removes runs that were found, each with all runs below it; what is more than `limit` runs in all is left. */
  removeFamilies(query: RetentionQuery, rootIds: readonly number[], limit: number): Promise<Removed>;
  /** Removes up to `limit` of the runs below a run that was found, those first that have none below them, and the run itself last. */
  removeLeaves(query: RetentionQuery, rootId: number, limit: number): Promise<Removed>;
  /** Deletes up to `limit` rows that removed runs left, and events that have expired. */
  clear(limit: number): Promise<Cleared>;
}

export interface RetentionQuery {
  readonly tenant: string;
  readonly policy: RetentionPolicy;
}

/** A run without a parent that may go, and how many runs go with it, itself included. */
export interface PrunableRun extends Pick<RunRow, "id" | "publicId" | "workflow" | "status" | "finishedAt"> {
  readonly runs: number;
}

export interface PrunablePage {
  readonly runs: readonly PrunableRun[];
  /** The id to go on behind; undefined at the end. */
  readonly next: number | undefined;
  /** Any of the runs that were looked at was created long enough ago to go. */
  readonly isOld: boolean;
}

export interface Removed {
  /** Those of which nothing is there any more. */
  readonly rootIds: readonly number[];
  readonly runs: number;
}

export interface Cleared {
  readonly rows: number;
  /** Nothing was left to delete. */
  readonly isDone: boolean;
}

export interface WorkerIdentity {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** The worker groups whose runs it drives in a shared ledger; null: all of them. Whoever has a file alone drives every run. */
  readonly groups: readonly string[] | null;
}

/** An engine that drives runs of a ledger, as others see it. */
export interface LiveEngine extends WorkerIdentity {
  readonly epoch: number;
  /** How long ago it was heard of, milliseconds; null where the ledger can tell that it lives without hearing of it. */
  readonly silentMs: number | null;
  /** False once its lease has run out: another engine will take over its runs. */
  readonly isAlive: boolean;
}

/** What befalls an owner outside of its calls. */
export interface OwnerEvents {
  /** The lease has run out: nothing is written any more. */
  lost(error: StepwellError): void;
  /** The answer to a commit was lost, and whoever knows what became of it does not answer either; asked again after `retryInMs`. */
  stalled(error: StepwellError, retryInMs: number): void;
}

export interface Ownership {
  readonly epoch: number;
  /** The ledger's clock, milliseconds since the Unix epoch. */
  readonly now: number;
}

export interface NewVersion {
  readonly tenant: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly hash: string;
  readonly definition: JsonText;
  readonly steps: readonly VersionStep[];
}

export interface QueuedRun {
  readonly publicId: string;
  readonly tenant: string;
  readonly versionId: number;
  readonly input: JsonText;
  readonly labels: JsonText | null;
  readonly initiator: string;
  readonly trigger: string;
  readonly environment: string;
  readonly idempotencyKey: string | null;
  readonly idempotencyHash: string | null;
  readonly deadlineInMs: number | null;
  readonly workerGroup: string;
  /** JSON text of its `Admission`; null for one without limits. */
  readonly admission: JsonText | null;
}

export interface Enqueued {
  readonly publicId: string;
  /** False for a key that started this run before. */
  readonly created: boolean;
}

export interface InboxEntry {
  readonly tenant: string;
  readonly publicId: string;
  readonly kind: InboxKind;
  readonly payload: Json;
  readonly actor: string;
  /** Name of a signal. */
  readonly name?: string;
  readonly signalId?: string;
}

export interface RunQuery {
  readonly tenant: string;
  readonly status?: RunStatus;
  readonly workflow?: string;
  /** Opaque position from `RunPage.next`. */
  readonly cursor?: string;
  readonly limit: number;
}

export interface RunEnds {
  /** In the order in which they were started. */
  readonly ended: readonly RunRow[];
  /** Ids that no run of the tenant has, in any order. */
  readonly missing: readonly string[];
}

/** Newest first. */
export interface RunPage {
  readonly runs: readonly RunRow[];
  readonly next: string | undefined;
}

/** A run with the rows that drive it on. */
export interface StoredRun {
  /** The ledger's clock when it was read. */
  readonly now: number;
  readonly run: RunRow;
  /** Without those whose parent's row has finished, and without rounds of a loop before its last one. */
  readonly steps: readonly StepRow[];
  /** The highest ordinal of any row of the run, also of those that are left out; -1 without rows. */
  readonly lastOrdinal: number;
  readonly waits: readonly WaitRow[];
  /** Open rows, and consumed cancels: those stay in force. */
  readonly inbox: readonly InboxRow[];
  /** When a note has a QUEUED run ask for its turn, milliseconds since the Unix epoch: a collected one later than it was stored. Null without a note. */
  readonly asksAt: number | null;
}
