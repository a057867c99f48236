import type { Transaction } from "../transaction.ts";
import { LimiterBook } from "./limiter-book.ts";
import type { AdmissionTables } from "./tables.ts";
import { TurnBook } from "./turn-book.ts";

/** What one admission works on. */
export interface Desk extends Books {
  readonly transaction: Transaction;
}

export interface Books {
  readonly tables: AdmissionTables;
  readonly limiters: LimiterBook;
  readonly turns: TurnBook;
}

export function deskOf(transaction: Transaction): Desk {
  const { admission: tables, now } = transaction;
  return { transaction, tables, limiters: new LimiterBook(tables, now), turns: new TurnBook(tables) };
}
