import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { Contestant } from "./contestant.ts";
import { createWork, INPUT, SHAPES, type WorkflowName } from "./workflows.ts";

/**
 * combined: a step is one row, inserted when it is done. running: it is also stored RUNNING, in the commit that makes it ready,
 * before its function is called. In both the completion of the run shares the commit of its last step.
 */
export type LimitVariant = "combined" | "running";

export type LimitWrite =
  | { readonly write: "insertRun"; readonly id: string; readonly workflow: string; readonly input: string; readonly at: number }
  | {
      readonly write: "insertStep";
      readonly runId: string;
      readonly seq: number;
      readonly name: string;
      readonly status: string;
      readonly output: string | null;
      readonly at: number;
    }
  | { readonly write: "settleStep"; readonly runId: string; readonly seq: number; readonly output: string }
  | { readonly write: "endRun"; readonly id: string; readonly output: string; readonly at: number };

/** Where the minimal engine writes. */
export interface LimitStore {
  /** Batches that may be in flight at once. */
  readonly lanes: number;
  /** All of it in one durable transaction. */
  commit(writes: readonly LimitWrite[]): Promise<void> | undefined;
  /** Resolves with the number of runs that are stored as completed. */
  close(): Promise<number>;
}

interface Run {
  readonly id: string;
}

interface PendingCommit {
  readonly writes: readonly LimitWrite[];
  readonly done: () => void;
}

/**
 * What the disk and the driver allow on this machine at this minute: an engine that does the group commit and nothing else, no
 * scheduler, no definitions, no recovery. Everything that all runs have ready shares one transaction; a step is on disk before the
 * next one starts, a start before it is answered, a completion before it is told.
 */
export class LimitEngine implements Contestant {
  readonly #store: LimitStore;
  readonly #variant: LimitVariant;
  readonly #workflow: WorkflowName;
  readonly #work = createWork();
  readonly #current = new AsyncLocalStorage<Run>();
  #pending: PendingCommit[] = [];
  #inFlight = 0;
  #started = 0;

  constructor(store: LimitStore, variant: LimitVariant, workflow: WorkflowName) {
    this.#store = store;
    this.#variant = variant;
    this.#workflow = workflow;
  }

  async run(): Promise<void> {
    const { parallel, sequential } = SHAPES[this.#workflow];
    const run = { id: this.#newId() };
    const insert: LimitWrite = {
      write: "insertRun",
      id: run.id,
      workflow: this.#workflow,
      input: JSON.stringify(INPUT),
      at: Date.now(),
    };
    await this.#commit([insert, ...this.#beginSteps(run, 0, Math.max(parallel, 1))]);
    await this.#current.run(run, async () => {
      if (parallel > 0) await this.#together(run, parallel);
      await this.#inARow(run, parallel, parallel + sequential);
    });
  }

  close(): Promise<number> {
    return this.#store.close();
  }

  /** Steps 0 to count − 1 at once; the last to settle makes step `count` ready. */
  async #together(run: Run, count: number): Promise<void> {
    let left = count;
    const execute = async (seq: number): Promise<void> => {
      const output = await this.#work();
      left -= 1;
      await this.#commit([this.#settle(run, seq, output), ...(left === 0 ? this.#beginSteps(run, count, 1) : [])]);
    };
    await Promise.all(Array.from({ length: count }, (_, seq) => execute(seq)));
  }

  async #inARow(run: Run, first: number, end: number): Promise<void> {
    for (let seq = first; seq < end; seq++) {
      const settle = this.#settle(run, seq, await this.#work());
      await this.#commit(seq === end - 1 ? [settle, endOf(run)] : [settle, ...this.#beginSteps(run, seq + 1, 1)]);
    }
  }

  #beginSteps(run: Run, first: number, count: number): readonly LimitWrite[] {
    if (this.#variant === "combined") return [];
    return Array.from({ length: count }, (_, index) => insertOf(run, first + index, "running", null));
  }

  #settle(run: Run, seq: number, output: unknown): LimitWrite {
    const text = JSON.stringify(output);
    return this.#variant === "combined" ? insertOf(run, seq, "done", text) : { write: "settleStep", runId: run.id, seq, output: text };
  }

  #commit(writes: readonly LimitWrite[]): Promise<void> {
    return new Promise((done) => {
      this.#pending.push({ writes, done });
      this.#schedule();
    });
  }

  /** A commit that fails ends the process, as nobody takes its rejection. */
  #schedule(): void {
    if (this.#inFlight >= this.#store.lanes || this.#pending.length === 0) return;
    this.#inFlight += 1;
    setImmediate(() => {
      const batch = this.#pending;
      this.#pending = [];
      const committed = batch.length === 0 ? undefined : this.#store.commit(batch.flatMap(({ writes }) => writes));
      const tell = (): void => {
        this.#inFlight -= 1;
        for (const { done } of batch) done();
        this.#schedule();
      };
      if (committed === undefined) tell();
      else void committed.then(tell);
    });
  }

  /** Grows with time, so that rows are appended to the right of the trees. */
  #newId(): string {
    this.#started += 1;
    const order = `${Date.now().toString(36).padStart(10, "0")}-${this.#started.toString(36).padStart(8, "0")}`;
    return `${order}-${randomUUID().slice(24)}`;
  }
}

function insertOf(run: Run, seq: number, status: string, output: string | null): LimitWrite {
  return { write: "insertStep", runId: run.id, seq, name: `s${seq}`, status, output, at: Date.now() };
}

function endOf(run: Run): LimitWrite {
  return { write: "endRun", id: run.id, output: '{"done":1}', at: Date.now() };
}
