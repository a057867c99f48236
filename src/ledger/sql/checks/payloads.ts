import type { Work } from "../../work.ts";
import { checksum } from "../checksum.ts";
import type { RawRow } from "../fields.ts";
import type { SqlValue } from "../transaction.ts";

/** Reads by a statement that is spelt as SQLite does. */
export type Read = (sql: string, ...values: SqlValue[]) => Work<readonly RawRow[]>;

/** Payload columns of a table and the checksums beside them. */
interface PayloadTable {
  readonly table: string;
  /** What orders its rows: their key, as values that a number of JavaScript can say. */
  readonly key: readonly string[];
  /** Holds for rows behind those of a key; ?1 and the following are its values. */
  readonly behind: string;
  /** The run that a row belongs to; null where it belongs to none. */
  readonly runId: string;
  readonly sums: readonly Sum[];
}

interface Sum {
  readonly column: string;
  readonly first: string | null;
  readonly second: string | null;
}

const sum = (column: string, first: string | null, second: string | null = null): Sum => ({ column, first, second });
const byId = { key: ["id"], behind: "id > ?1" } as const;

const PAYLOAD_TABLES: readonly PayloadTable[] = [
  { table: "version", ...byId, runId: "NULL", sums: [sum("definition_crc", "definition")] },
  { table: "run", ...byId, runId: "id", sums: [sum("input_crc", "input"), sum("result_crc", "output", "error")] },
  {
    table: "step",
    key: ["(key >> 28)", "(key & 268435455)"],
    behind: "key > (?1 << 28 | ?2)",
    runId: "(key >> 28)",
    sums: [sum("input_crc", "input", "selected"), sum("result_crc", "output", "error")],
  },
  {
    table: "attempt",
    key: ["run_id", "ordinal", "attempt"],
    behind: "(run_id, ordinal, attempt) > (?1, ?2, ?3)",
    runId: "run_id",
    sums: [sum("error_crc", null, "error")],
  },
  { table: "event", ...byId, runId: "run_id", sums: [sum("detail_crc", "detail")] },
  {
    table: "wait",
    key: ["run_id", "ordinal"],
    behind: "(run_id, ordinal) > (?1, ?2)",
    runId: "run_id",
    sums: [sum("detail_crc", "detail")],
  },
  { table: "inbox", ...byId, runId: "run_id", sums: [sum("payload_crc", "payload")] },
  { table: "task", ...byId, runId: "run_id", sums: [sum("payload_crc", "form", "payload"), sum("result_crc", "decision", "error")] },
  { table: "event_kept", ...byId, runId: "NULL", sums: [sum("data_crc", "data")] },
];

/** A payload may have 16 MiB, and a page of them is in memory at once. */
const PAGE = 50;
/** Below every key, also that of what a run itself waits for. */
const BEFORE_ALL = -2;

export interface DamagedPayload {
  readonly runId: number | null;
  readonly found: string;
}

/** Reads every payload of the ledger and gives those that are not what was written. */
export function* damagedPayloads(read: Read): Work<readonly DamagedPayload[]> {
  const damaged: DamagedPayload[] = [];
  for (const table of PAYLOAD_TABLES) {
    let behind: readonly SqlValue[] = table.key.map(() => BEFORE_ALL);
    for (;;) {
      const page = yield* read(pageOf(table), ...behind, PAGE);
      for (const row of page) damaged.push(...damageIn(table, row));
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      behind = keyOf(table, last);
    }
  }
  return damaged;
}

function pageOf({ table, key, behind, runId, sums }: PayloadTable): string {
  const columns = sums.flatMap(({ column, first, second }) => [column, first, second]).filter((column) => column !== null);
  const keys = key.map((part, index) => `${part} AS key_${index}`);
  return `SELECT ${runId} AS owner, ${[...keys, ...columns].join(", ")} FROM ${table} WHERE ${behind}
    ORDER BY ${table === "step" ? "key" : key.join(", ")} LIMIT ?${key.length + 1}`;
}

const keyOf = ({ key }: PayloadTable, row: RawRow): readonly number[] => key.map((_, index) => Number(row[`key_${index}`]));

function damageIn(table: PayloadTable, row: RawRow): readonly DamagedPayload[] {
  const text = (column: string | null): string | null => {
    const found = column === null ? null : row[column];
    return typeof found === "string" ? found : null;
  };
  return table.sums
    .filter(({ column, first, second }) => row[column] !== checksum(text(first), text(second)))
    .map(({ column }) => ({
      runId: row["owner"] === null ? null : Number(row["owner"]),
      found: `${column.replace(/_crc$/, "")} of ${table.table} ${keyOf(table, row).join("/")} is not what was written`,
    }));
}
