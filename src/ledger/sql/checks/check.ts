import { RUN_STATUSES, RUN_TRANSITIONS, STEP_STATUSES, STEP_TRANSITIONS } from "../../../model/status.ts";

/** The invariants that SQL can say something about, by the names that the fault tests know them by. */
export type Invariant = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8";

/** One thing that must hold of every ledger, whatever its engines suffered and whatever they are doing just now. */
export interface LedgerCheck {
  readonly id: string;
  readonly invariant: Invariant;
  /** What must hold, in one sentence. */
  readonly holds: string;
  /** Gives a row for whatever breaks it: `run_id`, `run` (the public id), and `found`, a few words. */
  readonly sql: string;
}

const listed = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(", ");

export const KNOWN_RUN_STATUSES = listed(RUN_STATUSES);
export const ENDED_RUN_STATUSES = listed(RUN_STATUSES.filter((status) => RUN_TRANSITIONS[status].length === 0));
/** Those that a row may hold: a step that is PENDING has none. */
export const STORED_STEP_STATUSES = listed(STEP_STATUSES.filter((status) => status !== "PENDING"));
export const ENDED_STEP_STATUSES = listed(STEP_STATUSES.filter((status) => STEP_TRANSITIONS[status].length === 0));

export const STEPS = "step s JOIN run r ON r.id = s.key >> 28";
/** The step of a row of another table, which has the columns of its key. */
const stepOf = (alias: string): string => `LEFT JOIN step s ON s.key = (${alias}.run_id << 28 | ${alias}.ordinal)`;

/** What a check that is about runs finds. */
export const runs = (found: string, where: string): string =>
  `SELECT r.id AS run_id, r.public_id AS run, ${found} AS found FROM run r WHERE ${where}`;

/** What a check that is about stored steps finds; `found` follows the step's name. */
export const steps = (found: string, where: string, from: string = STEPS): string =>
  `SELECT r.id AS run_id, r.public_id AS run, ${nameOf("(s.key & 268435455)")} || ${found} AS found FROM ${from} WHERE ${where}`;

/** What a check finds that is about rows beside steps; their ordinal is that of a step, which need not be stored. */
export const beside = (table: string, alias: string, found: string, where: string): string =>
  `SELECT r.id AS run_id, r.public_id AS run, ${nameOf(`${alias}.ordinal`)} || ${found} AS found
   FROM ${table} ${alias} JOIN run r ON r.id = ${alias}.run_id ${stepOf(alias)} WHERE ${where}`;

function nameOf(ordinal: string): string {
  return `coalesce(s.path, (SELECT d.path FROM version_steps d WHERE d.version_id = r.version_id AND d.ordinal = ${ordinal}),
    'step ' || ${ordinal})`;
}
