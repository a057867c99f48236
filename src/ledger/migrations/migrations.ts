import { FIRST } from "./0001_first.ts";

export interface Migration {
  /** Position in the sequence, from 1. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** Every migration in order. One that was released is never changed: its checksum is stored in each ledger. */
export const MIGRATIONS: readonly Migration[] = [{ number: 1, name: "first", sql: FIRST }];
