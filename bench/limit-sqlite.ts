import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { LimitStore, LimitWrite } from "./limit-engine.ts";

const SCHEMA = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -64000; PRAGMA wal_autocheckpoint = 4000;
  CREATE TABLE run (id TEXT PRIMARY KEY, workflow TEXT NOT NULL, status TEXT NOT NULL, input TEXT, output TEXT,
    created_at INT, done_at INT) WITHOUT ROWID;
  CREATE INDEX live_run ON run (created_at) WHERE status <> 'completed';
  CREATE TABLE step (run_id TEXT NOT NULL, seq INT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, output TEXT,
    created_at INT, PRIMARY KEY (run_id, seq)) WITHOUT ROWID;`;

/** On the main thread: a commit is done when it returns. */
export class SqliteLimitStore implements LimitStore {
  readonly lanes = 1;
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<"begin" | "commit" | LimitWrite["write"], StatementSync>>;

  constructor(directory: string) {
    const database = new DatabaseSync(join(directory, "limit.db"));
    database.exec(SCHEMA);
    this.#database = database;
    this.#statements = {
      begin: database.prepare("BEGIN IMMEDIATE"),
      commit: database.prepare("COMMIT"),
      insertRun: database.prepare("INSERT INTO run (id, workflow, status, input, created_at) VALUES (?, ?, 'running', ?, ?)"),
      insertStep: database.prepare("INSERT INTO step (run_id, seq, name, status, output, created_at) VALUES (?, ?, ?, ?, ?, ?)"),
      settleStep: database.prepare("UPDATE step SET status = 'done', output = ? WHERE run_id = ? AND seq = ?"),
      endRun: database.prepare("UPDATE run SET status = 'completed', output = ?, done_at = ? WHERE id = ?"),
    };
  }

  commit(writes: readonly LimitWrite[]): undefined {
    this.#statements.begin.run();
    for (const write of writes) this.#write(write);
    this.#statements.commit.run();
  }

  async close(): Promise<number> {
    const completed = this.#database.prepare("SELECT count(*) AS runs FROM run WHERE status = 'completed'").get()?.["runs"];
    this.#database.close();
    return Number(completed);
  }

  #write(write: LimitWrite): void {
    const statement = this.#statements[write.write];
    switch (write.write) {
      case "insertRun":
        statement.run(write.id, write.workflow, write.input, write.at);
        break;
      case "insertStep":
        statement.run(write.runId, write.seq, write.name, write.status, write.output, write.at);
        break;
      case "settleStep":
        statement.run(write.output, write.runId, write.seq);
        break;
      case "endRun":
        statement.run(write.output, write.at, write.id);
        break;
    }
  }
}
