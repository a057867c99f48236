import type { DueRun } from "../ledger/claims.ts";
import type { Ledger } from "../ledger/port.ts";
import type { InboxRow } from "../ledger/rows.ts";
import type { Clock, Timer } from "../model/clock.ts";
import type { AnnouncedRun, Queue, QueueNews } from "../queue/port.ts";
import type { Placement } from "./placement.ts";

/** What another process writes is noticed within twice this. */
const LOOK_MS = 20;
/** How often a shared ledger is asked for runs that other engines gave up for the want of an operator. */
const WANTED_MS = 1_000;
const PAGE = 200;

export interface PickupHost {
  epoch(): number;
  /** How many more runs may be held in memory. */
  freeRuns(): number;
  /** Whether callers or runs depend on the engine, so that it keeps the process alive. */
  isNeeded(): boolean;
  /** What this engine has of its own that runs may be parked for the want of: operators, and groups for steps with a topic. */
  offers(): readonly string[];
  /** The ledger's clock as this process knows it. */
  ledgerNow(): number;
  takeUp(runId: number, isAdmitted: boolean): Promise<void>;
  deliver(row: InboxRow): Promise<void>;
  /** Runs that other engines drive may have ended, and routes and shares may have changed. */
  lookAround(): Promise<unknown>;
  told(news: QueueNews): void;
  failed(cause: unknown): void;
}

/** Finds the runs of the ledger that this engine must take up: after a start, when others wrote, when waits fall due. */
export class Pickup {
  readonly #ledger: Ledger;
  readonly #queue: Queue;
  readonly #placement: Pick<Placement, "serves">;
  readonly #clock: Clock;
  readonly #host: PickupHost;
  #timer: Timer | undefined;
  /** When the next parked run falls due, on the ledger's clock: all that is kept of any number of them. */
  #nextDue: number | null = null;
  /** When time alone lets a run that waits for its turn begin, on the ledger's clock. */
  #nextTurn: number | null = null;
  /** Inbox rows up to this id have been delivered, or need not be: a signal that nobody waits for. */
  #delivered = 0;
  /** Others wrote, and not everything that follows from it has been looked at: a ledger may be busy in between. */
  #hasNews = false;
  #isStopped = false;
  #isBackground = false;
  #queueIsOpen = true;
  #claiming: Promise<void> | undefined;
  /** Runs that were admitted and are being read. */
  readonly #coming = new Set<number>();
  #mustClaim = false;
  /** On the ledger's clock. */
  #askedForWantedAt = 0;

  constructor(ledger: Ledger, queue: Queue, placement: Pick<Placement, "serves">, clock: Clock, host: PickupHost) {
    this.#ledger = ledger;
    this.#queue = queue;
    this.#placement = placement;
    this.#clock = clock;
    this.#host = host;
  }

  /** Takes up what a dead or stopped engine left behind, then watches. */
  async start(): Promise<void> {
    await this.#recover("left_behind");
    await this.#recover("no_worker");
    await this.#claimQueued();
    await this.#readInbox();
    await this.#askNextDue();
    this.#queue.consume({
      // as long as more waits in the ledger than fits, nobody needs to tell it of runs
      freeRuns: () => (this.#isStopped || !this.#queueIsOpen ? 0 : this.#freeRuns()),
      serves: (workerGroup) => this.#placement.serves(workerGroup),
      look: () => this.#lookForQueue(),
      told: (news) => this.#host.told(news),
    });
    this.#schedule();
  }

  /** A run of this process left memory; it falls due then, if time wakes it at all. */
  parked(dueAt: number | null): void {
    if (dueAt !== null && (this.#nextDue === null || dueAt < this.#nextDue)) this.#nextDue = dueAt;
  }

  /** New operators are there: runs that were parked for the want of one are tried again. */
  async operatorsChanged(): Promise<void> {
    await this.#recover("no_worker");
  }

  /** A run left memory: a queued one may take its place. */
  roomMade(): void {
    if (this.#queueIsOpen) {
      this.#queue.roomMade();
      return;
    }
    this.#queueIsOpen = true;
    this.#clock.soon(() => void this.#claimQueued().catch((cause: unknown) => this.failed(cause)));
  }

  /** A run was stored QUEUED by this process; `hasRoom` when memory has emptied meanwhile. */
  queued(runs: readonly AnnouncedRun[], hasRoom: boolean): void {
    for (const run of runs) this.#queue.announce(run);
    this.#queueIsOpen = false;
    if (hasRoom) this.roomMade();
  }

  /** The ledger could not be asked now: everything that may have been missed is looked at again. */
  failed(cause: unknown): void {
    this.#hasNews = true;
    this.#mustClaim = true;
    this.#host.failed(cause);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #recover(pickup: "left_behind" | "no_worker"): Promise<void> {
    for (let after = 0; !this.#isStopped; ) {
      // what this engine has no room for is there for others
      const limit = this.#ledger.isShared ? Math.min(this.#freeRuns(), PAGE) : PAGE;
      if (limit <= 0) return;
      const page = await this.#ledger.claims.runs(pickup, after, limit, this.#host.offers());
      await this.#takeUpAll(page);
      if (page.length < limit) return;
      after = page.at(-1) ?? after;
    }
  }

  /** For who was woken: also one whose look fails is not told twice. */
  async #lookForQueue(): Promise<void> {
    try {
      await this.#claimQueued();
    } catch (cause) {
      this.failed(cause);
      throw cause;
    }
  }

  #claimQueued(): Promise<void> {
    this.#mustClaim = true;
    // one walk at a time: two would each fill the room that is free
    this.#claiming ??= this.#claimWhileAsked();
    return this.#claiming;
  }

  async #claimWhileAsked(): Promise<void> {
    try {
      while (this.#mustClaim) {
        this.#mustClaim = false;
        await this.#admit();
      }
    } finally {
      // in the same turn in which nothing more was asked for: who asks next gets a walk of his own
      this.#claiming = undefined;
    }
    if (this.#queueIsOpen) this.#queue.roomMade();
  }

  /** The next ones are admitted while those before them are read. */
  async #admit(): Promise<void> {
    const takenUp: Promise<void>[] = [];
    try {
      while (!this.#isStopped) {
        const limit = Math.min(this.#freeRuns(), PAGE);
        if (limit <= 0) {
          this.#queueIsOpen = false;
          return;
        }
        const { runs, accepted, isMore, nextAt } = await this.#ledger.claims.admit(this.#host.epoch(), limit);
        this.#nextTurn = nextAt;
        for (const runId of runs) this.#coming.add(runId);
        const coming = this.#takeUpAll(runs, true);
        coming.catch(heardOfLater);
        takenUp.push(coming);
        for (const row of accepted) await this.#host.deliver(row);
        if (runs.length < limit && !isMore) return;
      }
    } finally {
      // what could not be read keeps its room until here: or all that waits would be admitted by an engine that cannot read it
      await Promise.all(takenUp).finally(() => this.#coming.clear());
    }
  }

  /** Those that were admitted and are not in memory yet have their room. */
  #freeRuns(): number {
    return this.#host.freeRuns() - this.#coming.size;
  }

  /** In a file each is read within the turn; a server that many share reads several at once. */
  async #takeUpAll(page: readonly number[], isAdmitted = false): Promise<void> {
    const takeUp = async (runId: number): Promise<void> => {
      await this.#host.takeUp(runId, isAdmitted);
      this.#coming.delete(runId);
    };
    if (this.#ledger.isShared) await Promise.all(page.map(takeUp));
    else for (const runId of page) await takeUp(runId);
  }

  async #readInbox(): Promise<void> {
    for (;;) {
      const page = await this.#ledger.claims.sent(this.#delivered, PAGE);
      for (const row of page) if (row.isAwaited) await this.#host.deliver(row);
      this.#delivered = page.at(-1)?.id ?? this.#delivered;
      if (page.length < PAGE) return;
    }
  }

  /** Somebody depends on the engine from now on: the watch keeps the process alive. */
  needed(): void {
    if (!this.#isBackground || this.#timer === undefined) return;
    this.#timer.cancel();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#isBackground = !this.#host.isNeeded();
    this.#timer = this.#clock.setTimer(LOOK_MS, () => void this.#tick(), this.#isBackground);
  }

  async #tick(): Promise<void> {
    this.#timer = undefined;
    try {
      await this.#look();
    } catch (cause) {
      this.failed(cause);
    }
    this.#schedule();
  }

  async #look(): Promise<void> {
    this.#hasNews ||= await this.#ledger.changedElsewhere();
    const hasNews = this.#hasNews;
    this.#hasNews = false;
    if (hasNews && this.#ledger.isShared) await this.#lookAtOthers();
    if (this.#queue.isTimeToLook(hasNews) || this.#mustClaim) await this.#claimQueued();
    if (hasNews) await this.#readInbox();
    if (this.#nextTurn !== null && this.#host.ledgerNow() >= this.#nextTurn) await this.#claimQueued();
    if (this.#nextDue !== null && this.#host.ledgerNow() >= this.#nextDue) await this.#takeUpDue();
  }

  /** Other engines park runs, and leave some behind. */
  async #lookAtOthers(): Promise<void> {
    await this.#recover("left_behind");
    const now = this.#host.ledgerNow();
    if (now - this.#askedForWantedAt >= WANTED_MS) {
      this.#askedForWantedAt = now;
      await this.#recover("no_worker");
    }
    await this.#askNextDue();
    await this.#host.lookAround();
  }

  /** After an outage everything is overdue at once: pages are taken up as memory has room, and commits get their turn in between. */
  async #takeUpDue(): Promise<void> {
    for (let after: DueRun | undefined; !this.#isStopped; ) {
      const limit = Math.min(this.#freeRuns(), PAGE);
      if (limit <= 0) return;
      const page = await this.#ledger.claims.due(after, limit);
      await this.#takeUpAll(page.map(({ runId }) => runId));
      after = page.at(-1);
      if (page.length < limit) break;
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
    }
    await this.#askNextDue();
  }

  /** The answer may be older than a run that parks meanwhile: both are kept in mind. */
  async #askNextDue(): Promise<void> {
    const before = this.#nextDue;
    this.#nextDue = null;
    try {
      this.parked(await this.#ledger.waits.nextDue());
    } catch (cause) {
      this.parked(before);
      throw cause;
    }
  }
}

/** By who waits for all of them. */
function heardOfLater(): void {}
