/** An open connection to PostgreSQL: a `Client` or `PoolClient` of the package `pg`, or what has their `query`. */
export interface SqlClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}

/** Work on a client; written for a narrower one, as `(client: PoolClient) => …`, it is given that all the same. */
export type TransactionWork<T> = { work(client: SqlClient): Promise<T> }["work"];
