import { FIRST } from "./0001_first.ts";
import { FIRST_POSTGRES } from "./0001_first_postgres.ts";

export interface Migration {
  /** Position in the sequence, from 1. */
  readonly number: number;
  readonly name: string;
  /**
   * Whoever knows so many migrations can work on a ledger that has this one: its own number, or a lower one where it only adds what
   * they may leave alone.
   */
  readonly compatibleFrom: number;
  /** As SQLite spells it; other dialects translate it. */
  readonly sql: string;
  /** What PostgreSQL has beside that. */
  readonly postgres: string;
}

/** Every migration in order. One that was released is never changed: its checksum is stored in each ledger. */
export const MIGRATIONS: readonly Migration[] = [{ number: 1, name: "first", compatibleFrom: 1, sql: FIRST, postgres: FIRST_POSTGRES }];
