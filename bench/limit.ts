import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Contestant } from "./contestant.ts";
import { createWork, INPUT, SHAPES, type WorkflowName } from "./workflows.ts";

/**
 * combined: a step is one row, inserted when it is done. running: it is also stored RUNNING, in the commit that makes it ready,
 * before its function is called. In both the completion of the run shares the commit of its last step.
 */
export type LimitVariant = "combined" | "running";

type Write = () => void;

interface Run {
  readonly id: string;
}

interface PendingCommit {
  readonly writes: readonly Write[];
  readonly done: () => void;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -64000; PRAGMA wal_autocheckpoint = 4000;
  CREATE TABLE run (id TEXT PRIMARY KEY, workflow TEXT NOT NULL, status TEXT NOT NULL, input TEXT, output TEXT,
    created_at INT, done_at INT) WITHOUT ROWID;
  CREATE INDEX live_run ON run (created_at) WHERE status <> 'completed';
  CREATE TABLE step (run_id TEXT NOT NULL, seq INT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, output TEXT,
    created_at INT, PRIMARY KEY (run_id, seq)) WITHOUT ROWID;`;

export function openLimit(directory: string, variant: LimitVariant, workflow: WorkflowName): Contestant {
  return new Limit(join(directory, "limit.db"), variant, workflow);
}

/**
 * What the disk and the driver allow on this machine at this minute: an engine that does the group commit and nothing else, no
 * scheduler, no definitions, no recovery. Everything that all runs have ready shares one transaction on the main thread; a step
 * is on disk before the next one starts, a start before it is answered, a completion before it is told.
 */
class Limit implements Contestant {
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<"begin" | "commit" | "insertRun" | "insertStep" | "settleStep" | "endRun", StatementSync>>;
  readonly #variant: LimitVariant;
  readonly #workflow: WorkflowName;
  readonly #work = createWork();
  readonly #current = new AsyncLocalStorage<Run>();
  #pending: PendingCommit[] = [];
  #isScheduled = false;
  #started = 0;

  constructor(file: string, variant: LimitVariant, workflow: WorkflowName) {
    const database = new DatabaseSync(file);
    database.exec(SCHEMA);
    this.#database = database;
    this.#variant = variant;
    this.#workflow = workflow;
    this.#statements = {
      begin: database.prepare("BEGIN IMMEDIATE"),
      commit: database.prepare("COMMIT"),
      insertRun: database.prepare("INSERT INTO run (id, workflow, status, input, created_at) VALUES (?, ?, 'running', ?, ?)"),
      insertStep: database.prepare("INSERT INTO step (run_id, seq, name, status, output, created_at) VALUES (?, ?, ?, ?, ?, ?)"),
      settleStep: database.prepare("UPDATE step SET status = 'done', output = ? WHERE run_id = ? AND seq = ?"),
      endRun: database.prepare("UPDATE run SET status = 'completed', output = ?, done_at = ? WHERE id = ?"),
    };
  }

  async run(): Promise<void> {
    const { parallel, sequential } = SHAPES[this.#workflow];
    const run = { id: this.#newId() };
    const input = JSON.stringify(INPUT);
    const insert: Write = () => this.#statements.insertRun.run(run.id, this.#workflow, input, Date.now());
    await this.#commit([insert, ...this.#beginSteps(run, 0, Math.max(parallel, 1))]);
    await this.#current.run(run, async () => {
      if (parallel > 0) await this.#together(run, parallel);
      await this.#inARow(run, parallel, parallel + sequential);
    });
  }

  async close(): Promise<number> {
    const completed = this.#database.prepare("SELECT count(*) AS runs FROM run WHERE status = 'completed'").get()?.["runs"];
    this.#database.close();
    return Number(completed);
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
      await this.#commit(seq === end - 1 ? [settle, this.#end(run)] : [settle, ...this.#beginSteps(run, seq + 1, 1)]);
    }
  }

  #beginSteps(run: Run, first: number, count: number): readonly Write[] {
    if (this.#variant === "combined") return [];
    return Array.from({ length: count }, (_, index) => () => {
      this.#statements.insertStep.run(run.id, first + index, `s${first + index}`, "running", null, Date.now());
    });
  }

  #settle(run: Run, seq: number, output: unknown): Write {
    const text = JSON.stringify(output);
    return this.#variant === "combined"
      ? () => this.#statements.insertStep.run(run.id, seq, `s${seq}`, "done", text, Date.now())
      : () => this.#statements.settleStep.run(text, run.id, seq);
  }

  #end(run: Run): Write {
    return () => this.#statements.endRun.run('{"done":1}', Date.now(), run.id);
  }

  #commit(writes: readonly Write[]): Promise<void> {
    return new Promise((done) => {
      this.#pending.push({ writes, done });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const batch = this.#pending;
      this.#pending = [];
      this.#statements.begin.run();
      for (const { writes } of batch) for (const write of writes) write();
      this.#statements.commit.run();
      for (const { done } of batch) done();
    });
  }

  /** Grows with time, so that rows are appended to the right of both trees. */
  #newId(): string {
    this.#started += 1;
    const order = `${Date.now().toString(36).padStart(10, "0")}-${this.#started.toString(36).padStart(8, "0")}`;
    return `${order}-${randomUUID().slice(24)}`;
  }
}
