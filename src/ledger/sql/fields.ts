import { StepwellError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { checksum } from "./checksum.ts";
import type { Words } from "./words.ts";

/** A row as a driver gives it. */
export type RawRow = Readonly<Record<string, unknown>>;

/** Reads typed columns of one row; whatever is not what the schema promises is `LEDGER_CORRUPT`. */
export class Fields {
  readonly #row: RawRow;
  readonly #place: string;
  readonly #data: { readonly [key: string]: Json };

  constructor(row: RawRow, place: string, data: { readonly [key: string]: Json }) {
    this.#row = row;
    this.#place = place;
    this.#data = data;
  }

  text(column: string): string {
    const found = this.#row[column];
    return typeof found === "string" ? found : this.#refuse(column);
  }

  textOrNull(column: string): string | null {
    const found = this.#row[column];
    return found === null || typeof found === "string" ? found : this.#refuse(column);
  }

  integer(column: string): number {
    const found = this.#row[column];
    return typeof found === "number" ? found : this.#refuse(column);
  }

  integerOrNull(column: string): number | null {
    const found = this.#row[column];
    return found === null || typeof found === "number" ? found : this.#refuse(column);
  }

  oneOf<W extends string>(allowed: Words<W>, column: string): W {
    const found = this.#row[column];
    return isWord(allowed, found) ? found : this.#refuse(column);
  }

  oneOfOrNull<W extends string>(allowed: Words<W>, column: string): W | null {
    return this.#row[column] === null ? null : this.oneOf(allowed, column);
  }

  /** Compares payload columns with the checksum that was stored beside them. */
  verify(crcColumn: string, first: string | null, second: string | null = null): void {
    if (this.#row[crcColumn] !== checksum(first, second)) this.#refuse(crcColumn.replace(/_crc$/, ""));
  }

  #refuse(column: string): never {
    throw new StepwellError("LEDGER_CORRUPT", `${this.#place} is damaged in the ledger: its ${column} is not what was written`, {
      hint: "The bytes are kept as they are. Restore the ledger from a backup, or look at the row with sqlite3.",
      data: { ...this.#data, column },
    });
  }
}

function isWord<W extends string>(allowed: Words<W>, found: unknown): found is W {
  return typeof found === "string" && Object.hasOwn(allowed, found);
}

/** How a column names its row in an error. */
export const nameOf = (value: unknown): string | null => (typeof value === "string" || typeof value === "number" ? String(value) : null);

export const runFields = (row: RawRow, key: string): Fields => new Fields(row, `Run ${nameOf(row[key]) ?? "?"}`, { run: nameOf(row[key]) });

export function stepFields(row: RawRow): Fields {
  const run = nameOf(row["public_id"]) ?? nameOf(row["run_id"]);
  const step = nameOf(row["path"]) ?? nameOf(row["step"]) ?? nameOf(row["ordinal"]);
  return new Fields(row, `Step ${step} of run ${run}`, { run, step });
}
