import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { toPostgres } from "../../src/ledger/postgres/dialect.ts";
import { CHECKS } from "../../src/ledger/sql/checks/verify.ts";
import { type CheckResult, verifyLedger } from "../../src/ledger/url.ts";
import { createDatabase, type FreshDatabase, freshDatabase, needPostgres, query } from "../fixtures/postgres/database.ts";
import { fillLedger } from "./busy-ledger.ts";
import { CORRUPTIONS, type Corruption } from "./corruptions.ts";

const workflowsIn = (schema: string): string => `SELECT workflow, id AS run FROM ${schema}.runs WHERE started_at IS NOT NULL`;
const FILL_MS = 60_000;
const DROP_MS = 180_000;

const failedOf = (checks: readonly CheckResult[]): readonly CheckResult[] => checks.filter(({ count }) => count > 0);

async function requireSound(url: string): Promise<void> {
  const failed = failedOf((await verifyLedger(url)).checks);
  if (failed.length > 0) throw new Error(JSON.stringify(failed));
}

/** A ledger that was at work, and copies of it to be broken. */
interface Original {
  readonly url: string;
  /** Gives the URL of a copy of which the statements have made something that cannot be. */
  brokenBy(sql: string): Promise<string>;
}

/** A copy of a database takes its time: there one for each check is enough, beside what only several engines can have wrong. */
const OF_SHARED = CORRUPTIONS.filter(
  (each, index) => each.isShared === true || CORRUPTIONS.findIndex(({ check }) => check === each.check) === index,
);
const OF_FILES = CORRUPTIONS.filter(({ isShared }) => isShared !== true);

function describeChecks(
  corruptions: readonly Corruption[],
  original: () => Original,
  workflows: () => Promise<ReadonlyMap<string, string>>,
): void {
  test("P2 a ledger after a busy life, with runs of every kind, is as it must be", async () => {
    const { checks, figures } = await verifyLedger(original().url);
    expect(failedOf(checks)).toEqual([]);
    expect(checks.map(({ id }) => id)).toEqual(["schema", ...CHECKS.map(({ id }) => id), "payloads"]);
    expect(figures?.unfinished).toEqual({ QUEUED: 1, SUSPENDED: 11 });
    expect(figures).toMatchObject({ queuedWithoutEngine: 1, held: 1, overdue: 0 });
    expect(figures?.rows).toMatchObject({ run: 16, task: 2, subscription: 1, event_kept: 1 });
  });

  for (const { check, does, sql, of } of corruptions) {
    test(`${check} finds that ${does}`, async () => {
      const { checks } = await verifyLedger(await original().brokenBy(sql));
      const found = failedOf(checks).find(({ id }) => id === check);
      expect(found, `what failed: ${JSON.stringify(failedOf(checks))}`).toBeDefined();
      const run = of === undefined ? undefined : (await workflows()).get(of);
      if (run !== undefined) expect(found?.first.map((row) => row.run)).toContain(run);
    });
  }
}

const of = (rows: readonly Readonly<Record<string, unknown>>[]): ReadonlyMap<string, string> =>
  new Map(rows.map((row) => [String(row["workflow"]), String(row["run"])]));

test("every check was seen to fail", () => {
  const proved = new Set(CORRUPTIONS.map(({ check }: Corruption) => check));
  expect(["schema", ...CHECKS.map(({ id }) => id), "payloads"].filter((id) => !proved.has(id))).toEqual([]);
});

describe("a ledger in SQLite", () => {
  const directory = mkdtempSync(join(tmpdir(), "stepwell-verify-"));
  const url = join(directory, "ledger.db");
  let copies = 0;

  beforeAll(async () => {
    await fillLedger(url, () => requireSound(url));
  }, FILL_MS);
  afterAll(() => rmSync(directory, { recursive: true }));

  const brokenBy = async (sql: string): Promise<string> => {
    const copy = join(directory, `copy-${copies++}.db`);
    copyFileSync(url, copy);
    const db = new DatabaseSync(copy);
    db.exec(sql);
    db.close();
    return copy;
  };
  describeChecks(
    OF_FILES,
    () => ({ url, brokenBy }),
    async () => {
      using db = new DatabaseSync(url, { readOnly: true });
      return of(db.prepare(workflowsIn("main")).all());
    },
  );
});

describe("a ledger in PostgreSQL", () => {
  let database: FreshDatabase | undefined;
  const copies: FreshDatabase[] = [];
  const url = (): string => database?.url ?? "";

  beforeEach(needPostgres);
  beforeEach(async () => {
    if (database !== undefined) return;
    database = await freshDatabase();
    await fillLedger(url(), () => requireSound(url()));
  }, FILL_MS);
  // side by side: each waits for a checkpoint, and one is enough for all
  afterAll(async () => {
    await Promise.all(copies.map((copy) => copy.drop()));
    await database?.drop();
  }, DROP_MS);

  const brokenBy = async (sql: string): Promise<string> => {
    const copy = await createDatabase(url(), new URL(url()).pathname.slice(1));
    copies.push(copy);
    await query(copy.url, `SET search_path = stepwell; ${toPostgres(sql)}`);
    return copy.url;
  };
  describeChecks(
    OF_SHARED,
    () => ({ url: url(), brokenBy }),
    async () => of(await query(url(), workflowsIn("stepwell"))),
  );
});
