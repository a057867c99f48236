import { systemClock } from "../../../engine/system-clock.ts";
import type { Queue, QueueConsumer, QueueNews } from "../../../queue/port.ts";

const TICK_MS = 5;
const VERSION = 1;

/** What a ledger is to a queue: runs that wait, each of which is claimed once, and a number that grows with every one that is stored. */
export class Yard {
  /** Of every run that is stored. */
  group = "default";
  readonly #waiting: string[] = [];
  #stored = 0;
  readonly #watchers: (() => void)[] = [];

  get stored(): number {
    return this.#stored;
  }

  /** Stores runs, then announces them by a queue: a commit and what follows it. */
  store(queue: Queue, ...publicIds: readonly string[]): void {
    this.#waiting.push(...publicIds);
    this.#stored += 1;
    for (const publicId of publicIds) queue.announce({ publicId, tenant: "default", versionId: VERSION, workerGroup: this.group });
  }

  claim(limit: number): readonly string[] {
    const claimed = this.#waiting.splice(0, Math.max(0, limit));
    for (const watcher of this.#watchers.splice(0)) watcher();
    return claimed;
  }

  /** Resolves once something holds that claims bring about. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }
}

/** An engine with nothing in it but room: it does with a queue what `Pickup` does. */
export class YardEngine implements QueueConsumer {
  readonly held: string[] = [];
  readonly news: QueueNews[] = [];
  looks = 0;
  groups: readonly string[] = ["default"];
  /** Looks that fail. */
  failures = 0;
  readonly #yard: Yard;
  readonly #queue: Queue;
  #room: number;
  #seen = 0;
  #isOver = false;

  constructor(yard: Yard, queue: Queue, room: number) {
    this.#yard = yard;
    this.#queue = queue;
    this.#room = room;
    queue.consume(this);
    this.#tick();
  }

  freeRuns(): number {
    return this.#isOver ? 0 : this.#room - this.held.length;
  }

  serves(workerGroup: string): boolean {
    return this.groups.includes(workerGroup);
  }

  async look(): Promise<void> {
    this.looks += 1;
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("the ledger is busy");
    }
    this.held.push(...this.#yard.claim(this.freeRuns()));
  }

  told(news: QueueNews): void {
    this.news.push(news);
  }

  /** The room grows, and the engine looks, as one does that had none. */
  async widen(room: number): Promise<void> {
    this.#room = room;
    this.#queue.roomMade();
    await this.look();
  }

  stop(): void {
    this.#isOver = true;
  }

  #tick(): void {
    if (this.#isOver) return;
    const hasChanged = this.#yard.stored !== this.#seen;
    this.#seen = this.#yard.stored;
    // a look that fails is told by the engine, and is none of the queue's matters
    if (this.#queue.isTimeToLook(hasChanged)) this.look().catch(() => undefined);
    systemClock.setTimer(TICK_MS, () => this.#tick(), true);
  }
}
