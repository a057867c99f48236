import type { Faults } from "../faults.ts";
import type { CommitPoint } from "../oracle/commit-points.ts";
import type { Side } from "../oracle/write-points.ts";
import { settled } from "../time/kernel.ts";
import type { SimProcess } from "../time/process.ts";

export interface Operation<T> {
  readonly name: string;
  /** Points that its becoming durable passes. */
  readonly points: readonly CommitPoint[];
  /** Points that its answer passes. */
  readonly answers: readonly CommitPoint[];
  readonly apply: () => Promise<T>;
  readonly durable: (value: T) => void;
}

/** What all channels of one simulation share. */
export interface Wires {
  readonly faults: Faults;
  /** Whether a commit that a dead process had sent may still be written. */
  readonly hasZombies: boolean;
  trace(line: string): void;
  crashed(process: SimProcess, at: CommitPoint, side: Side): void;
  /** The ledger took nothing from it. */
  refused(process: SimProcess): void;
}

const nothing = (): void => undefined;

/**
 * The way from a process to the ledger and back. What is asked for is decided, then durable, then told, at three moments that the
 * scheduler picks; between any two the process may die.
 */
export class Channel {
  readonly #process: SimProcess;
  readonly #wires: Wires;

  constructor(process: SimProcess, wires: Wires) {
    this.#process = process;
    this.#wires = wires;
  }

  read<T>(apply: () => Promise<T>): Promise<T> {
    const { faults } = this.#wires;
    const { kernel } = this.#process;
    return new Promise((resolve, reject) => {
      kernel.after(faults.latencyMs(), this.#process, async () => {
        try {
          const answer = await apply();
          // read now, told later: what it says may be old
          kernel.after(faults.latencyMs(), this.#process, () => resolve(answer));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  write<T>(operation: Operation<T>): Promise<T> {
    const { faults } = this.#wires;
    const { kernel } = this.#process;
    return new Promise((resolve, reject) => {
      kernel.after(faults.latencyMs(), this.#process, async () => {
        const refusal = faults.refusal();
        if (refusal !== undefined) {
          this.#wires.refused(this.#process);
          return reject(refusal);
        }
        if (this.#dies(operation.points, "before")) return this.#sent(operation);
        let value: T;
        try {
          value = await this.#perform(operation);
        } catch (error) {
          this.#wires.trace(`${this.#process.name} ${kernel.nowMs} ${operation.name} is refused: ${String(error)}`);
          return reject(error);
        }
        if (this.#dies(operation.points, "after")) return;
        kernel.after(faults.latencyMs(), this.#process, () => this.#answer(operation, () => resolve(value)));
      });
    });
  }

  async #perform<T>({ name, apply, durable }: Operation<T>): Promise<T> {
    const value = await apply();
    this.#process.kernel.stirred();
    this.#wires.trace(`${this.#process.name} ${this.#process.kernel.nowMs} ${name} ${JSON.stringify(value)}`);
    durable(value);
    return value;
  }

  async #answer<T>({ answers }: Operation<T>, resolve: () => void): Promise<void> {
    if (this.#dies(answers, "before")) return;
    resolve();
    await settled();
    this.#dies(answers, "after");
  }

  /** What a dead process had sent may still arrive, when nobody waits for it any more. */
  #sent<T>(operation: Operation<T>): void {
    const { faults, hasZombies } = this.#wires;
    if (!hasZombies || !faults.swarm.zombies) return;
    this.#process.kernel.after(faults.latencyMs(), null, async () => {
      // refused is as good as lost: nobody hears of either
      await this.#perform(operation).catch(nothing);
    });
  }

  #dies(points: readonly CommitPoint[], side: Side): boolean {
    const struck = this.#wires.faults.strikes(points, side);
    if (struck !== undefined) this.#wires.crashed(this.#process, struck, side);
    return struck !== undefined;
  }
}
