import { looking } from "../../../src/ledger/postgres/inspect.ts";
import { type Ended, type RunningProcess, Workspace } from "../../fixtures/cli-process.ts";
import { startProxy } from "../../fixtures/postgres/proxy.ts";
import type { Book } from "../crash/book.ts";
import { between, oneOf } from "../crash/schedule.ts";
import type { Random } from "../seeded-random.ts";
import { after, TICK_MS, untilReached } from "./pace.ts";
import { EXPANDED, EXPANDING, type NextVersion, PRESENT } from "./versions.ts";
import type { WorkerSlot } from "./worker-slot.ts";

/** What a migration may meet in a fleet that suffers; it is started again. */
const TRY_AGAIN = ["LEDGER_UNREACHABLE", "LEDGER_BUSY"];
/** Started at once, once none is killed any more. */
const MANY = 3;
/** Workers that are replaced once the migration is in. */
const MOVES = 6;

export interface Fleet {
  readonly server: string;
  readonly schema: string;
  readonly slots: readonly WorkerSlot[];
  readonly next: NextVersion;
  readonly book: Book;
}

/**
 * A fleet is brought to the next version while it works and suffers: the migration comes in, by processes that are killed in its middle
 * and then by several at once; then workers are replaced one by one, and some of them go back.
 */
export class Upgrade implements Disposable {
  /** Migrations that were killed, and workers that were replaced by one of the next version, and of the present one. */
  readonly counts = { killed: 0, forward: 0, back: 0 };
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #place = new Workspace();

  constructor(fleet: Fleet, random: Random) {
    this.#fleet = fleet;
    this.#random = random;
  }

  async run(durationMs: number): Promise<void> {
    await after((durationMs / 8) * this.#random());
    for (const statement of EXPANDING) if (this.#random() < 0.6) await this.#killAt(statement);
    await this.#migrate();
    const { slots, next } = this.#fleet;
    for (let move = 0; move < MOVES; move++) {
      // the first worker stays with the next version; the second ends up with the present one, started after the migration
      const isLast = move === MOVES - 1;
      const slot = move === 0 ? 0 : isLast ? 1 : between(this.#random, 1, slots.length - 1);
      const version = move === 0 ? next : isLast ? PRESENT : oneOf([PRESENT, next], this.#random);
      slots[slot]?.become(version);
      this.counts[version === next ? "forward" : "back"] += 1;
      await after(between(this.#random, 300, 1_200));
    }
  }

  /** All of the migration is there, or nothing of it. */
  async judge(): Promise<void> {
    const { server, schema, book } = this.#fleet;
    const [found = {}] = await untilReached(() => looking(`${server}?schema=${schema}`, (connections) => connections.read(EXPANDED)));
    if (new Set(Object.values(found).map(Number)).size !== 1) book.violated("other", `half a migration is there: ${JSON.stringify(found)}`);
  }

  [Symbol.dispose](): void {
    this.#place[Symbol.dispose]();
  }

  /** By a process that is killed when it is about to send this statement. */
  async #killAt(statement: string): Promise<void> {
    for (;;) {
      await using proxy = await startProxy(this.#fleet.server);
      const held = proxy.holdRequest(statement).then(() => "held" as const);
      const migrating = this.#start(proxy.url);
      const first = await Promise.race([held, migrating.ended]);
      if (first === "held") {
        migrating.kill("SIGKILL");
        await migrating.ended;
        this.counts.killed += 1;
        await this.judge();
        return;
      }
      // one that was killed after its commit had left nothing to do
      if (isDone(first)) return;
      await after(TICK_MS);
    }
  }

  async #migrate(): Promise<void> {
    for (;;) {
      const ended = await Promise.all(Array.from({ length: MANY }, () => this.#start(this.#fleet.server).ended));
      await this.judge();
      if (ended.map(isDone).includes(true)) return;
      await after(TICK_MS);
    }
  }

  #start(server: string): RunningProcess {
    const { next, schema } = this.#fleet;
    return this.#place.spawn(process.execPath, [next.bin, "migrate", "--ledger", `${server}?schema=${schema}`]);
  }
}

function isDone({ exitCode, stderr }: Ended): boolean {
  if (exitCode !== 0 && !TRY_AGAIN.some((code) => stderr.includes(code))) throw new Error(stderr);
  return exitCode === 0;
}
