import { FIRST } from "./0001_first.ts";
import { FIRST_POSTGRES } from "./0001_first_postgres.ts";

export interface Migration {
  /** Position in the sequence, from 1. */
  readonly number: number;
  readonly name: string;
  /** As SQLite spells it; other dialects translate it. */
  readonly sql: string;
  /** What PostgreSQL has beside that. */
  readonly postgres: string;
}

/** Every migration in order. One that was released is never changed: its checksum is stored in each ledger. */
export const MIGRATIONS: readonly Migration[] = [{ number: 1, name: "first", sql: FIRST, postgres: FIRST_POSTGRES }];
