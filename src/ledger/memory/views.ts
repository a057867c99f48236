import type { VersionStep } from "../rows.ts";
import type { ColumnValue } from "../sql/description.ts";
import type { MemoryRow, MemoryTables } from "./tables.ts";

const PENDING: MemoryRow = {
  status: "PENDING",
  reason: null,
  attempt: 0,
  input: null,
  selected: null,
  output: null,
  error: null,
  input_crc: null,
  result_crc: null,
  started_at: null,
  finished_at: null,
};

/** The views of the SQL backends, computed from maps; the rows have the columns that decoding reads. */
export class MemoryViews {
  readonly #tables: MemoryTables;
  readonly #steps: ReadonlyMap<number, readonly VersionStep[]>;

  /** @param steps the steps of each version */
  constructor(tables: MemoryTables, steps: ReadonlyMap<number, readonly VersionStep[]>) {
    this.#tables = tables;
    this.#steps = steps;
  }

  find(tenant: string, publicId: string): MemoryRow | undefined {
    const run = this.#tables.findUnique("run", { public_id: publicId });
    return run?.["tenant"] === tenant ? run : undefined;
  }

  /** Rows of a run; none when it is not there. */
  of(tenant: string, publicId: string, rows: (run: MemoryRow) => readonly MemoryRow[]): readonly MemoryRow[] {
    const run = this.find(tenant, publicId);
    return run === undefined ? [] : rows(run);
  }

  run(run: MemoryRow): MemoryRow {
    const [version] = this.#tables.find("version", { id: column(run, "version_id") });
    const rows =
      run["finished_at"] === null ? [...this.#rows(run, "step"), ...this.#rows(run, "attempt"), ...this.#rows(run, "event")] : [];
    const revision = Math.max(...[run, ...rows].map((row) => Number(row["revision"])));
    return { ...run, workflow: version?.["workflow"] ?? null, version: version?.["version"] ?? null, revision };
  }

  /** When a note has the run ask for its turn; null without one. */
  asksAt(runId: ColumnValue): number | null {
    const notes = this.#tables.find("admission_note", { run_id: runId }).filter(({ note }) => note === "asks");
    return notes.length === 0 ? null : Math.min(...notes.map((note) => Number(note["due_at"])));
  }

  stepRuns(run: MemoryRow): readonly MemoryRow[] {
    const defined = this.#definitions(run).map(({ ordinal, path, uses }) => {
      const [stored = PENDING] = this.#tables.find("step", { run_id: column(run, "id"), ordinal });
      return { ...stored, ordinal, path, uses };
    });
    const others = this.#rows(run, "step").filter((row) => row["path"] !== null && row["kind"] !== "item" && row["kind"] !== "round");
    const named = others.map((row) => ({ ...row, uses: row["uses"] ?? column(row, "kind") }));
    const isAtWork = (row: MemoryRow): boolean => row["kind"] === "block" && row["status"] === "SUSPENDED" && run["status"] === "RUNNING";
    const shown = (row: MemoryRow): MemoryRow => ({
      ...row,
      run_id: column(run, "public_id"),
      status: isAtWork(row) ? "RUNNING" : column(row, "status"),
    });
    return [...defined, ...named].map(shown).toSorted((a, b) => by(a, b, "ordinal"));
  }

  waits(run: MemoryRow): readonly MemoryRow[] {
    const paths = this.#paths(run);
    const rows = this.#tables.find("wait", { run_id: column(run, "id") }).map((row) => {
      const [child] = this.#tables.find("run", { id: column(row, "child_run_id") });
      const path = paths.get(column(row, "ordinal")) ?? null;
      return { ...row, run_id: column(run, "public_id"), path, child_run_id: child?.["public_id"] ?? null };
    });
    return rows.toSorted((a, b) => by(a, b, "ordinal"));
  }

  /** Tasks with the names of their runs and steps, those whose runs are there. */
  tasks(tasks: Iterable<MemoryRow>): readonly MemoryRow[] {
    return [...tasks].flatMap((task) => {
      const [run] = this.#tables.find("run", { id: column(task, "run_id") });
      return run === undefined
        ? []
        : [{ ...task, run: column(run, "public_id"), path: this.#paths(run).get(column(task, "ordinal")) ?? null }];
    });
  }

  attempts(run: MemoryRow): readonly MemoryRow[] {
    return this.#rows(run, "attempt").toSorted((a, b) => by(a, b, "revision") || by(a, b, "ordinal") || by(a, b, "attempt"));
  }

  history(run: MemoryRow): readonly MemoryRow[] {
    const paths = this.#paths(run);
    const lines = runLines(run);
    for (const event of this.#rows(run, "event")) lines.push({ ...NO_STEP, ...event, position: 2, sequence: column(event, "id") });
    for (const row of this.#rows(run, "attempt")) {
      const detail = { detail: column(row, "error"), detail_crc: column(row, "error_crc") };
      const event = `attempt.${String(row["status"]).toLowerCase()}`;
      lines.push({ ...row, ...detail, position: 3, event, at: column(row, "finished_at"), step: column(row, "path"), actor: null });
    }
    for (const row of this.#rows(run, "step")) lines.push(...stepLines(row));
    for (const line of lines) {
      line["step"] = paths.get(line["ordinal"] ?? null) ?? null;
      line["sequence"] ??= line["ordinal"] ?? 0;
    }
    return lines.toSorted((a, b) => by(a, b, "revision") || by(a, b, "position") || by(a, b, "sequence") || by(a, b, "attempt"));
  }

  #paths(run: MemoryRow): ReadonlyMap<ColumnValue, ColumnValue> {
    const paths = new Map<ColumnValue, ColumnValue>(this.#definitions(run).map(({ ordinal, path }) => [ordinal, path]));
    for (const row of this.#rows(run, "step")) if (row["path"] !== null) paths.set(column(row, "ordinal"), column(row, "path"));
    return paths;
  }

  #definitions(run: MemoryRow): readonly VersionStep[] {
    return this.#steps.get(Number(run["version_id"])) ?? [];
  }

  #rows(run: MemoryRow, table: "step" | "attempt" | "event"): readonly MemoryRow[] {
    return this.#tables.find(table, { run_id: column(run, "id") });
  }
}

const NO_STEP = { step: null, attempt: null, detail: null, detail_crc: null, actor: null };

type Line = Record<string, ColumnValue>;

function runLines(run: MemoryRow): Line[] {
  const line = (position: number, event: string, revision: string, at: string): Line => ({
    ...NO_STEP,
    run_id: column(run, "public_id"),
    revision: column(run, revision),
    position,
    event,
    at: column(run, at),
  });
  return [
    { ...line(0, "run.created", "created_revision", "created_at"), actor: column(run, "initiator") },
    ...(run["started_at"] === null ? [] : [line(1, "run.started", "started_revision", "started_at")]),
    ...(run["finished_at"] === null ? [] : [line(6, `run.${String(run["status"]).toLowerCase()}`, "revision", "finished_at")]),
  ];
}

function stepLines(row: MemoryRow): Line[] {
  const line = (position: number, event: string, revision: string, at: string, attempt: ColumnValue): Line => ({
    ...NO_STEP,
    run_id: column(row, "run_id"),
    ordinal: column(row, "ordinal"),
    revision: column(row, revision),
    position,
    event,
    at: column(row, at),
    attempt,
  });
  const settled = row["finished_at"] !== null;
  const started = row["started_at"] !== null && (!settled || by(row, row, "started_revision", "revision") < 0);
  const restarted = by(row, row, "attempt_revision", "started_revision") > 0;
  const subject = row["kind"] === "item" || row["kind"] === "round" ? row["kind"] : "step";
  return [
    ...(settled ? [line(4, `${subject}.${String(row["status"]).toLowerCase()}`, "revision", "finished_at", column(row, "attempt"))] : []),
    ...(started ? [line(5, "step.started", "started_revision", "started_at", 1)] : []),
    ...(restarted ? [line(5, "step.started", "attempt_revision", "attempt_started_at", column(row, "attempt"))] : []),
  ];
}

function column(row: MemoryRow, name: string): ColumnValue {
  return row[name] ?? null;
}

function by(a: MemoryRow, b: MemoryRow, name: string, other: string = name): number {
  return Number(a[name]) - Number(b[other]);
}
