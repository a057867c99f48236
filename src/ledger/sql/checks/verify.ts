import type { Work } from "../../work.ts";
import { ADMISSION_CHECKS } from "./admission-checks.ts";
import type { Invariant, LedgerCheck } from "./check.ts";
import { type LedgerFigures, ledgerFigures } from "./figures.ts";
import { INBOX_CHECKS } from "./inbox-checks.ts";
import { damagedPayloads, type Read } from "./payloads.ts";
import { RUN_CHECKS } from "./run-checks.ts";
import { STEP_CHECKS } from "./step-checks.ts";

/** What one check has found. */
export interface CheckResult {
  readonly id: string;
  readonly invariant: Invariant;
  readonly holds: string;
  /** How many break it; 0 when it holds. */
  readonly count: number;
  /** The first of them, in the order of the runs; the run is the public id, null where none is concerned. */
  readonly first: readonly { readonly run: string | null; readonly found: string }[];
}

export interface Verification {
  /** Its file, or its URL without user and password. */
  readonly ledger: string;
  readonly checks: readonly CheckResult[];
  /** Null when the schema is not one that this version can work on: nothing else was looked at. */
  readonly figures: LedgerFigures | null;
}

/** Every check that is a statement. */
export const CHECKS: readonly LedgerCheck[] = [...RUN_CHECKS, ...STEP_CHECKS, ...INBOX_CHECKS, ...ADMISSION_CHECKS];

/** What a database has and the other has not, under the names that the checks have for it. */
export interface Peculiarities {
  /** `WITH` and tables: `fenced` (epochs that write nothing more), and `ready` and `lane` where there are none. */
  readonly prelude: string;
  /** By the ledger's clock. */
  readonly now: number;
  readonly schema: SchemaFacts;
}

/** How far a schema is, or why nobody of this version can work on it. */
export interface SchemaFacts {
  readonly applied: number;
  readonly known: number;
  readonly problem: string | null;
}

const FIRST_ROWS = 5;
const PUBLIC_ID = "SELECT public_id FROM run WHERE id = ?1";
const SCHEMA = { id: "schema", invariant: "I8", holds: "The schema is one that this version can work on" } as const;
const PAYLOADS = { id: "payloads", invariant: "I7", holds: "Every payload is what was written" } as const;

/**
 * Holds a ledger against everything that must be true of it at every moment, by reads alone.
 *
 * @param read within one transaction, so that all of it sees one state
 */
export function* verify(read: Read, { prelude, now, schema }: Peculiarities): Work<Omit<Verification, "ledger">> {
  const ofSchema = schemaResult(schema);
  if (ofSchema.count > 0) return { checks: [ofSchema], figures: null };
  const within: Read = (sql, ...values) => read(`${prelude} ${sql}`, ...values);
  const checks: CheckResult[] = [ofSchema];
  for (const check of CHECKS) checks.push(yield* resultOf(within, check));
  checks.push(yield* payloadResult(read));
  return { checks, figures: yield* ledgerFigures(within, now) };
}

function schemaResult({ applied, known, problem }: SchemaFacts): CheckResult {
  const found = problem ?? (applied >= known ? null : `migration ${applied} of ${known}`);
  return { ...SCHEMA, count: found === null ? 0 : 1, first: found === null ? [] : [{ run: null, found }] };
}

function* resultOf(read: Read, { id, invariant, holds, sql }: LedgerCheck): Work<CheckResult> {
  const rows = yield* read(
    `SELECT run, found, count(*) OVER () AS total FROM (${sql}) AS broken ORDER BY run_id, found LIMIT ?1`,
    FIRST_ROWS,
  );
  const first = rows.map(({ run, found }) => ({ run: typeof run === "string" ? run : null, found: String(found) }));
  return { id, invariant, holds, count: Number(rows[0]?.["total"] ?? 0), first };
}

function* payloadResult(read: Read): Work<CheckResult> {
  const damaged = yield* damagedPayloads(read);
  const first: { run: string | null; found: string }[] = [];
  for (const { runId, found } of damaged.slice(0, FIRST_ROWS)) {
    const [row] = runId === null ? [] : yield* read(PUBLIC_ID, runId);
    first.push({ run: row === undefined ? null : String(row["public_id"]), found });
  }
  return { ...PAYLOADS, count: damaged.length, first };
}
