import { describe, expect, test } from "vitest";
import type { Admission } from "../../model/admission.ts";
import { ADMISSION, SqlAdmissionTables } from "../sql/admission-tables.ts";
import type { RawRow } from "../sql/fields.ts";
import { done, finish, type Work } from "../work.ts";
import { LimiterBook } from "./limiter-book.ts";
import { takeNotes } from "./notes.ts";
import { TurnBook } from "./turn-book.ts";

const NOW = 1_000;

/** Notes of runs that ask for their turn, each of a tenant and under a key of its own. */
function notesOf(runs: number): readonly RawRow[] {
  return Array.from({ length: runs }, (_, number) => {
    const limiter = { id: `["w","concurrency",0,${number}]`, limit: 1, periodMs: null, onLimit: "queue", holds: "activity" } as const;
    const admission: Admission = { priorityMs: 0, limiters: [limiter], gather: null };
    const run = { run_id: number, note: "asks", tenant: `t${number % 5}`, worker_group: "default", version_id: 1, created_at: NOW };
    return {
      ...run,
      id: number,
      found: number,
      started_at: null,
      finished_at: null,
      paused_by: null,
      admission: JSON.stringify(admission),
    };
  });
}

/** Statements that reading so many notes takes where nothing is stored yet: over a network each of them is a round trip. */
function statementsFor(runs: number): number {
  let statements = 0;
  const rows = (sql: string): Work<readonly RawRow[]> => {
    statements += 1;
    if (sql === ADMISSION.notes) return done(notesOf(runs));
    return done(sql === ADMISSION.lastLimiter || sql === ADMISSION.lastPartition ? [{ id: 0 }] : []);
  };
  const send = (): Work<void> => {
    statements += 1;
    return done(undefined);
  };
  const tables = new SqlAdmissionTables({ rows, send }, NOW);
  const books = { tables, limiters: new LimiterBook(tables, NOW), turns: new TurnBook(tables) };
  finish(takeNotes(books, finish(tables.notes(runs))));
  finish(books.limiters.save());
  finish(books.turns.save());
  return statements;
}

describe("notes of admission", () => {
  test("are read with as many statements, however many keys they have", () => {
    expect(statementsFor(500)).toBe(statementsFor(50));
    expect(statementsFor(500)).toBeLessThan(20);
  });
});
