import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { MIGRATIONS } from "../../../src/ledger/migrations/migrations.ts";
import { VERSION } from "../../../src/main/version.ts";
import { root } from "../../house/tree.ts";
import { TreeCopy } from "../../mutants/tree-copy.ts";

/** A build of the program, whose processes may be at work beside those of another one. */
export interface Version {
  /** As its engines write it into the ledger. */
  readonly name: string;
  readonly bin: string;
  readonly operators: string;
}

const OPERATORS = fileURLToPath(new URL("operators.ts", import.meta.url));

/** How many migrations the present version knows. */
export const KNOWN: number = MIGRATIONS.length;

export const PRESENT: Version = versionIn(root, VERSION);

/** It changes two tables at once, which no migration should: others meet its locks crosswise. */
const EXPANSION = `
const NEXT: Migration = {
  number: BEFORE.length + 1,
  name: "writers",
  compatibleFrom: BEFORE.length,
  sql: "CREATE TABLE writer (epoch INTEGER PRIMARY KEY, first_run INTEGER NOT NULL) STRICT;",
  postgres: \`
    ALTER TABLE run ADD COLUMN written_by BIGINT;
    CREATE INDEX run_written_by ON run (written_by) WHERE written_by IS NOT NULL;
    ALTER TABLE inbox ADD COLUMN remark TEXT;
  \`,
};

export const MIGRATIONS: readonly Migration[] = [...BEFORE, NEXT];
`;

/** What stands in a schema for the expansion, each 0 or 1: all of it or nothing is there. */
export const EXPANDED = `SELECT (SELECT count(*) FROM migration WHERE number > ${KNOWN}) AS "its row",
  (SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('run') AND attname = 'written_by') AS "column of run",
  (SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('inbox') AND attname = 'remark') AS "column of inbox",
  (to_regclass('writer') IS NOT NULL)::int AS "table", (to_regclass('run_written_by') IS NOT NULL)::int AS "index"`;

/** Statements of the expansion, in the order in which they are sent. */
export const EXPANDING = [
  "CREATE TABLE writer",
  "ALTER TABLE run",
  "INSERT INTO migration",
  "COMMIT",
  "CREATE OR REPLACE FUNCTION",
] as const;

/** The version that may follow: its schema has a table, columns and an index more, and its commits write them. */
export class NextVersion implements Version, Disposable {
  readonly name = "next";
  readonly bin: string;
  readonly operators: string;
  readonly #copy = new TreeCopy(["test"]);

  constructor() {
    const copy = this.#copy;
    ({ bin: this.bin, operators: this.operators } = versionIn(copy.folder, this.name));
    copy.edit("src/main/version.ts", `"${VERSION}"`, `"${this.name}"`);
    copy.edit("src/ledger/migrations/migrations.ts", "export const MIGRATIONS", "const BEFORE");
    copy.append("src/ledger/migrations/migrations.ts", EXPANSION);
    copy.edit(
      "src/ledger/postgres/functions.ts",
      "  outcome := 'committed';\n",
      `  outcome := 'committed';
  UPDATE run SET written_by = p_epoch WHERE id = ANY(p_runs);
  INSERT INTO writer (epoch, first_run) SELECT p_epoch, id FROM unnest(p_runs) AS id LIMIT 1 ON CONFLICT DO NOTHING;\n`,
    );
  }

  [Symbol.dispose](): void {
    this.#copy[Symbol.dispose]();
  }
}

function versionIn(folder: string, name: string): Version {
  return { name, bin: join(folder, "src", "cli", "bin.ts"), operators: join(folder, relative(root, OPERATORS)) };
}
