import type { Mutant } from "../../mutants/mutant.ts";
import { MUTANTS as OF_CRASHES } from "../crash/mutants.ts";

/** Faults of the crash matrix that several workers on a server must show as well. */
const SHARED: ReadonlySet<string> = new Set([
  "launch before commit",
  "child's end not told",
  "at-most-once started again",
  "attempt not counted",
  "key for each attempt",
]);

/** Each of these must make chaos fail. */
export const MUTANTS: readonly Mutant[] = [
  ...OF_CRASHES.filter(({ name }) => SHARED.has(name)),
  {
    name: "left behind for nobody",
    does: "the runs of a fenced worker are nobody's, and nobody is told",
    file: "src/ledger/postgres/workers.ts",
    from: "SELECT 0, id, inbox_seq FROM released ON CONFLICT",
    to: "SELECT 0, id, inbox_seq FROM released WHERE id < 0 ON CONFLICT",
  },
  {
    name: "fence that does not fence",
    does: "a worker whose lease has run out may go on writing",
    file: "src/ledger/postgres/workers.ts",
    from: "  yield* transaction.rows(FORGET_LANES, epoch);\n",
    to: "",
  },
  {
    name: "lost answer counts as written",
    does: "a commit whose answer was lost is taken for written without asking",
    file: "src/ledger/postgres/lane.ts",
    from: "RETURNING before.token BETWEEN ?3 AND ?4 AS is_written",
    to: "RETURNING before.token <= ?4 AS is_written",
  },
];
