import { Client } from "pg";
import type { LimitStore, LimitWrite } from "../limit-engine.ts";

/** While one batch is on its way, the next one is made; more connections are not faster where the server has the processor to share. */
const LANES = 2;

/** A plan that is made while the tables are empty would scan them for as long as the connection lives. */
const PINNED = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off";

const SCHEMA = `
  CREATE TABLE run (id TEXT PRIMARY KEY, workflow TEXT NOT NULL, status TEXT NOT NULL, input TEXT, output TEXT, created_at BIGINT,
    done_at BIGINT);
  CREATE INDEX live_run ON run (created_at) WHERE status <> 'completed';
  CREATE TABLE step (run_id TEXT NOT NULL, seq INT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, output TEXT, created_at BIGINT,
    PRIMARY KEY (run_id, seq));`;

/** A batch is one statement: one transaction, one round trip. No two writes of it touch the same row. */
const COMMIT = `WITH inserted_runs AS (INSERT INTO run (id, workflow, status, input, created_at)
    SELECT id, workflow, 'running', input, at FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS r (id, workflow, input, at)),
  inserted_steps AS (INSERT INTO step (run_id, seq, name, status, output, created_at)
    SELECT * FROM unnest($5::text[], $6::int[], $7::text[], $8::text[], $9::text[], $10::bigint[])),
  settled_steps AS (UPDATE step SET status = 'done', output = s.output FROM unnest($11::text[], $12::int[], $13::text[]) AS s (run_id, seq, output)
    WHERE step.run_id = s.run_id AND step.seq = s.seq)
  UPDATE run SET status = 'completed', output = e.output, done_at = e.at FROM unnest($14::text[], $15::text[], $16::bigint[]) AS e (id, output, at)
    WHERE run.id = e.id`;
const COLUMNS = 16;
const FIRST_COLUMN = { insertRun: 0, insertStep: 4, settleStep: 10, endRun: 13 } as const;

/** In a database of its own; a connection has one batch in flight. */
export class PostgresLimitStore implements LimitStore {
  readonly lanes = LANES;
  readonly #clients: readonly Client[];
  readonly #idle: Client[];

  private constructor(clients: readonly Client[]) {
    this.#clients = clients;
    this.#idle = [...clients];
  }

  static async open(url: string): Promise<PostgresLimitStore> {
    const clients = Array.from({ length: LANES }, () => new Client({ connectionString: url, options: PINNED }));
    for (const client of clients) await client.connect();
    await clients[0]?.query(SCHEMA);
    return new PostgresLimitStore(clients);
  }

  async commit(writes: readonly LimitWrite[]): Promise<void> {
    const client = this.#take();
    await client.query({ name: "commit", text: COMMIT, values: columnsOf(writes) });
    this.#idle.push(client);
  }

  async close(): Promise<number> {
    const { rows } = await this.#take().query<{ readonly runs: string }>("SELECT count(*) AS runs FROM run WHERE status = 'completed'");
    await Promise.all(this.#clients.map((client) => client.end()));
    return Number(rows[0]?.runs);
  }

  #take(): Client {
    const client = this.#idle.pop();
    if (client === undefined) throw new Error("there are more batches in flight than connections");
    return client;
  }
}

function columnsOf(writes: readonly LimitWrite[]): unknown[][] {
  const columns: unknown[][] = Array.from({ length: COLUMNS }, () => []);
  for (const write of writes) {
    const first = FIRST_COLUMN[write.write];
    const values = valuesOf(write);
    for (let index = 0; index < values.length; index++) columns[first + index]?.push(values[index]);
  }
  return columns;
}

function valuesOf(write: LimitWrite): readonly unknown[] {
  switch (write.write) {
    case "insertRun":
      return [write.id, write.workflow, write.input, write.at];
    case "insertStep":
      return [write.runId, write.seq, write.name, write.status, write.output, write.at];
    case "settleStep":
      return [write.runId, write.seq, write.output];
    case "endRun":
      return [write.id, write.output, write.at];
  }
}
