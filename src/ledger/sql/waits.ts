import type { RunTurn } from "../claims.ts";
import type { WaitReads } from "../port.ts";
import type { InboxRow, RunRow, WaitView } from "../rows.ts";
import { decodeRun } from "./decode.ts";
import { decodeInbox, decodeTurn, decodeWaitView } from "./decode-waiting.ts";
import { READS } from "./reads.ts";
import type { SqlBackend } from "./sql-backend.ts";

export class SqlWaits implements WaitReads {
  readonly #backend: SqlBackend;

  constructor(backend: SqlBackend) {
    this.#backend = backend;
  }

  now(): Promise<number> {
    return this.#backend.now();
  }

  async nextDue(): Promise<number | null> {
    const [row] = await this.#backend.search(READS.nextDue);
    return row === undefined ? null : Number(row["due_at"]);
  }

  async listWaits(tenant: string, publicId: string): Promise<readonly WaitView[]> {
    return (await this.#backend.rows(READS.waits, tenant, publicId)).map(decodeWaitView);
  }

  async turnOf(tenant: string, publicId: string): Promise<RunTurn | undefined> {
    const [row] = await this.#backend.rows(READS.turn, tenant, publicId);
    return row === undefined ? undefined : decodeTurn(row, await this.#backend.isServed(String(row["worker_group"])));
  }

  async listSignals(tenant: string, publicId: string): Promise<readonly InboxRow[]> {
    return (await this.#backend.rows(READS.signals, tenant, publicId)).map(decodeInbox);
  }

  async listChildren(tenant: string, publicId: string): Promise<readonly RunRow[]> {
    return (await this.#backend.rows(READS.children, tenant, publicId)).map(decodeRun);
  }
}
