import { decodeRun } from "../sql/decode.ts";
import type { Family, RetainedRun, RetainedRuns, TableOfRuns } from "../transaction.ts";
import { done, type Work } from "../work.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";
import type { MemoryViews } from "./views.ts";

export class MemoryRetainedRuns implements RetainedRuns {
  readonly #tables: MemoryTables;
  readonly #views: MemoryViews;

  constructor(tables: MemoryTables, views: MemoryViews) {
    this.#tables = tables;
    this.#views = views;
  }

  page(tenant: string, afterId: number, limit: number): Work<readonly RetainedRun[]> {
    const rows = [...this.#tables.all("run")].filter((run) => run["tenant"] === tenant && Number(run["id"]) > afterId);
    return done(this.#inOrder(rows).slice(0, limit));
  }

  some(runIds: readonly number[]): Work<readonly RetainedRun[]> {
    return done(this.#inOrder(runIds.flatMap((id) => this.#tables.find("run", { id }))));
  }

  families(runIds: readonly number[]): Work<readonly Family[]> {
    const below = this.#childrenByParent();
    const rowsOf = (rootId: number): readonly MemoryRow[] => membersOf([rootId], below).flatMap((id) => this.#rowsOf(id));
    return done(runIds.map((rootId) => familyOf(rootId, rowsOf(rootId))));
  }

  members(runIds: readonly number[], limit: number): Work<readonly number[]> {
    return done(membersOf(runIds, this.#childrenByParent()).slice(0, limit));
  }

  children(runIds: readonly number[], limit: number): Work<readonly number[]> {
    const below = this.#childrenByParent();
    return done(runIds.flatMap((id) => below.get(id) ?? []).slice(0, limit));
  }

  remove(runIds: readonly number[]): Work<void> {
    for (const id of runIds) {
      this.#tables.insert("removed_run", { run_id: id });
      for (const row of this.#rowsOf(id)) this.#tables.remove("run", row);
    }
    return done(undefined);
  }

  removed(limit: number): Work<readonly number[]> {
    return done([...this.#tables.all("removed_run")].map((row) => Number(row["run_id"])).slice(0, limit));
  }

  clear(table: TableOfRuns, runIds: readonly number[], limit: number): Work<number> {
    const rows = runIds.flatMap((id) => this.#tables.find(table, { run_id: id })).slice(0, limit);
    for (const row of rows) this.#tables.remove(table, row);
    return done(rows.length);
  }

  forget(runIds: readonly number[]): Work<void> {
    for (const id of runIds) for (const row of this.#tables.find("removed_run", { run_id: id })) this.#tables.remove("removed_run", row);
    return done(undefined);
  }

  #rowsOf(id: number): readonly MemoryRow[] {
    return this.#tables.find("run", { id });
  }

  #inOrder(rows: readonly MemoryRow[]): readonly RetainedRun[] {
    return rows.map((row) => decodeRun(this.#views.run(row))).toSorted((a, b) => a.id - b.id);
  }

  #childrenByParent(): ReadonlyMap<number, readonly number[]> {
    const below = new Map<number, number[]>();
    for (const { id, parent_run_id: parent } of this.#tables.all("run")) {
      const siblings = below.get(Number(parent));
      if (siblings === undefined) below.set(Number(parent), [Number(id)]);
      else siblings.push(Number(id));
    }
    return below;
  }
}

function membersOf(runIds: readonly number[], below: ReadonlyMap<number, readonly number[]>): readonly number[] {
  const all: number[] = [];
  for (let level = runIds; level.length > 0; level = level.flatMap((id) => below.get(id) ?? [])) all.push(...level);
  return all;
}

function familyOf(rootId: number, rows: readonly MemoryRow[]): Family {
  const ended = rows.filter((row) => row["finished_at"] !== null);
  const keyed = rows.filter((row) => row["idempotency_key"] !== null);
  return {
    rootId,
    runs: rows.length,
    ended: ended.length,
    lastEndAt: latest(ended, "finished_at"),
    newestKeyAt: latest(keyed, "created_at"),
  };
}

function latest(rows: readonly MemoryRow[], column: string): number | null {
  return rows.length === 0 ? null : Math.max(...rows.map((row) => Number(row[column])));
}
