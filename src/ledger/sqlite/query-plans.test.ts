import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DROP, PUT } from "../sql/admission-rows.ts";
import { ADMISSION } from "../sql/admission-tables.ts";
import { READS } from "../sql/reads.ts";
import { CLEARING, RETENTION } from "../sql/retention.ts";
import { TABLES_OF_RUNS } from "../transaction.ts";
import { openDatabase } from "./connection.ts";

/** What a read searches first; the rest of its plan looks rows up by key. */
const DRIVEN_BY: Readonly<Partial<Record<keyof typeof READS, string>>> = {
  dueRuns: "w USING INDEX wait_due ((due_at,run_id)>(?,?) AND due_at<?)",
  nextDue: "w USING INDEX wait_due (due_at>?)",
  unfinishedLeftBehind: "run USING INDEX run_unfinished (id>?)",
  unfinishedNoWorker: "run USING INDEX run_unfinished (id>?)",
  unfinished: "run USING INDEX run_unfinished (id>?)",
  openInbox: "i USING INDEX inbox_open (id>?)",
  inboxHeads: "inbox USING INTEGER PRIMARY KEY (rowid>?)",
  inboxRows: "inbox USING INDEX sqlite_autoindex_inbox_1 (run_id=?)",
  signal: "inbox USING INDEX inbox_signal (run_id=? AND signal_id=?)",
  awaits: "wait USING INDEX sqlite_autoindex_wait_1 (run_id=?)",
  subscriptions: "subscription USING INDEX subscription_key (tenant=? AND event=? AND field=? AND value=?)",
  keptEvent: "event_kept USING INDEX sqlite_autoindex_event_kept_1 (tenant=? AND event=? AND event_id=?)",
  keptEvents: "k USING COVERING INDEX event_key_lookup (tenant=? AND event=? AND field=? AND value=? AND kept_id>?)",
  expiredEvents: "event_kept USING COVERING INDEX event_kept_expiry (expires_at<?)",
  claimableTasks: "t USING INDEX task_available (tenant=? AND topic=? AND available_at<?)",
  task: "t USING INDEX sqlite_autoindex_task_1 (public_id=?)",
  tasks: "t USING INDEX task_tenant (tenant=? AND id>?)",
  tasksByStatus: "t USING INDEX task_status (tenant=? AND status=? AND id>?)",
  children: "r USING INDEX run_parent (parent_run_id=?)",
  stepRows: "r USING INTEGER PRIMARY KEY (rowid=?)",
  openRounds: "step USING INDEX step_open_round (key>? AND key<?)",
  lastRound: "step USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
  lastOrdinal: "step USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
  waitRows: "wait USING INDEX sqlite_autoindex_wait_1 (run_id=?)",
};
/** Lists in a column of the row in hand. */
const OF_JSON = /^SCAN \w+ VIRTUAL TABLE/;
/** What a statement of admission may go through: lists that it is given, and what it has found itself. */
const OF_ADMISSION = /^SCAN (?:\w+ VIRTUAL TABLE|found|next|turn USING INDEX turn_next|CONSTANT ROW)/;
const ofTables = (what: string, statements: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  Object.entries(statements).map(([table, sql]) => [`${what} ${table}`, sql]);

describe("query plans", () => {
  let directory = "";
  let db: DatabaseSync | undefined;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "stepwell-plans-"));
    db = await openDatabase(join(directory, "ledger.db"), 50);
  });

  afterAll(() => {
    db?.close();
    rmSync(directory, { recursive: true });
  });

  function planOf(sql: string): readonly string[] {
    const count = Math.max(0, ...[...sql.matchAll(/\?(\d)/g)].map(([, number]) => Number(number)));
    const rows = db?.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array.from({ length: count }, () => 1)) ?? [];
    return rows.map((row) => String(row["detail"]));
  }

  test.each(Object.entries(DRIVEN_BY))("%s finds its rows by an index, in the order that it gives them", (name, driver) => {
    const plan = planOf(Object.entries(READS).find(([key]) => key === name)?.[1] ?? "");
    expect(plan[0]).toBe(`SEARCH ${driver}`);
    expect(plan.filter((line) => (line.startsWith("SCAN") && !OF_JSON.test(line)) || line.includes("TEMP B-TREE"))).toEqual([]);
  });

  test.each([...Object.entries(ADMISSION), ...ofTables("put", PUT), ...ofTables("drop", DROP)])(
    "%s of admission goes through no table, and sorts none",
    (_, sql) => {
      const plan = planOf(sql);
      expect(plan.filter((line) => (line.startsWith("SCAN") && !OF_ADMISSION.test(line)) || line.includes("TEMP B-TREE"))).toEqual([]);
    },
  );

  test.each(Object.entries({ ...RETENTION, ...CLEARING }))(
    "%s of retention goes through no table but the list that it is given",
    (_, sql) => {
      const scans = planOf(sql).filter((line) => line.startsWith("SCAN") && !OF_JSON.test(line) && !/^SCAN (?:f|family)$/.test(line));
      expect(scans.filter((line) => line !== "SCAN removed_run")).toEqual([]);
    },
  );

  test("retention clears every table that has rows of runs", () => {
    const columns = db?.prepare(`SELECT t.name AS "table" FROM sqlite_schema t, pragma_table_info(t.name) c
      WHERE t.type = 'table' AND (c.name = 'run_id' OR (t.name = 'step' AND c.name = 'key'))`);
    const tables = (columns?.all() ?? []).map((row) => String(row["table"]));
    // whoever admits clears these, as the notes of ended runs say
    const ofAdmission = ["admission_note", "slot", "queue_entry", "gathering"];
    expect(tables.toSorted()).toEqual([...TABLES_OF_RUNS, ...ofAdmission, "removed_run"].toSorted());
  });
});
