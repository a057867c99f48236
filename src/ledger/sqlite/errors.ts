import type { ErrorCode } from "../../model/error-codes.ts";
import { StepwellError } from "../../model/errors.ts";

/** Primary result codes of https://www.sqlite.org/rescode.html. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  3: "LEDGER_READ_ONLY",
  5: "LEDGER_BUSY",
  6: "LEDGER_BUSY",
  8: "LEDGER_READ_ONLY",
  10: "LEDGER_IO",
  11: "LEDGER_CORRUPT",
  13: "LEDGER_FULL",
  14: "LEDGER_UNAVAILABLE",
  19: "LEDGER_CONFLICT",
  26: "LEDGER_CORRUPT",
};
/** SQLITE_IOERR_SHMSIZE: the shared-memory file could not grow, which is a full disk. */
const SHARED_MEMORY_FULL = 4_874;

const HINTS: Partial<Record<ErrorCode, string>> = {
  LEDGER_BUSY: "Another process holds the write lock. Find it, or try again.",
  LEDGER_FULL: "Free space on the disk of the ledger; nothing that was committed is lost.",
  LEDGER_READ_ONLY: "Give this user write access to the file and its directory.",
  LEDGER_CORRUPT: "The file is kept as it is. Restore it from a backup, or recover what can be read with sqlite3's .recover.",
  LEDGER_IO: "Check the disk. Whether the last commit was written is only known after the ledger was opened anew.",
  LEDGER_UNAVAILABLE: "Check that the path names a file in a directory that this user may use.",
};

/** Turns an error of the driver into a coded one; other errors pass as they are. */
export function sqliteError(error: unknown, file: string): unknown {
  const result = resultCode(error);
  if (result === undefined || error instanceof StepwellError) return error;
  const code = result === SHARED_MEMORY_FULL ? "LEDGER_FULL" : (CODES[result & 0xff] ?? "LEDGER_IO");
  const hint = HINTS[code];
  return new StepwellError(code, `${file}: ${error instanceof Error ? error.message : String(error)}`, {
    ...(hint === undefined ? {} : { hint }),
    data: { file, sqlite: result },
    cause: error,
  });
}

/** The extended result code of SQLite, when the error is one of its. */
function resultCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}
