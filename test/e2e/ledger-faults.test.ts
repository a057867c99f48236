import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Operator, Stepwell } from "../../src/index.ts";
import { openDatabase } from "../../src/ledger/sqlite/connection.ts";
import { openSqliteLedger, sqliteLedgerOn } from "../../src/ledger/sqlite/ledger.ts";
import { Gate, Harness } from "../../src/testing/harness.ts";

const definition = {
  name: "large",
  steps: [
    { id: "a", uses: "work" },
    { id: "b", uses: "after" },
  ],
  output: "{{ steps.b.output }}",
};
const BUSY_TIMEOUT_MS = 20;

let directory = "";
let file = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "stepwell-faults-"));
  file = join(directory, "ledger.db");
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

interface Held {
  readonly harness: Harness;
  readonly db: DatabaseSync;
  readonly id: string;
  /** Lets the first step return `result`. */
  readonly release: (result: string) => void;
  readonly calls: string[];
}

/** An engine whose run is in its first step, and the connection that its ledger writes through. */
async function heldRun(): Promise<Held> {
  const db = await openDatabase(file, BUSY_TIMEOUT_MS);
  const gate = new Gate();
  const calls: string[] = [];
  let result = "";
  const work: Operator = async (input, context) => {
    calls.push("work");
    await gate.operator(input, context);
    return result;
  };
  const after = (): string => {
    calls.push("after");
    return "done";
  };
  const harness = new Harness(sqliteLedgerOn(db, { file }), { operators: { work, after } });
  const id = await harness.start(definition);
  await gate.arrivals(1);
  const release = (value: string): void => {
    result = value;
    gate.open();
  };
  return { harness, db, id, release, calls };
}

/** What every fault that passes must leave behind: the run ended, each step was called once, the file is whole. */
async function expectWhole({ harness, id, calls }: Held): Promise<void> {
  expect(await harness.stepwell.result(id)).toMatchObject({ status: "SUCCEEDED", output: "done" });
  await harness.stepwell.stop();
  expect(calls).toEqual(["work", "after"]);
  const db = new DatabaseSync(file, { readOnly: true });
  expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  db.close();
}

describe("a SQLite file that fails under the engine", () => {
  test("a full disk stalls the run with LEDGER_FULL, refuses new ones, and everything goes on once there is room", async () => {
    const held = await heldRun();
    const { harness, db, release } = held;
    const pages = Number(db.prepare("PRAGMA page_count").get()?.["page_count"]);
    db.exec(`PRAGMA max_page_count = ${pages + 20}`);
    await expect(harness.stepwell.start("large", { padding: "x".repeat(400_000) })).rejects.toMatchObject({ code: "LEDGER_FULL" });
    release("x".repeat(400_000));
    await harness.event((event) => event.type === "ledger.stalled" && event.error.code === "LEDGER_FULL");
    db.exec("PRAGMA max_page_count = 1000000");
    await expectWhole(held);
  });

  test("another process that holds the write lock for a while stalls the run with LEDGER_BUSY, and then it goes on", async () => {
    const held = await heldRun();
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    held.release("small");
    await held.harness.event((event) => event.type === "ledger.stalled" && event.error.code === "LEDGER_BUSY");
    other.exec("ROLLBACK");
    other.close();
    await expectWhole(held);
  });

  test("a ledger that becomes read-only stops the engine with LEDGER_READ_ONLY; the next one repeats only what was not recorded", async () => {
    const { harness, db, id, release, calls } = await heldRun();
    const waiting = expect(harness.stepwell.result(id)).rejects.toMatchObject({ code: "LEDGER_READ_ONLY" });
    db.exec("PRAGMA query_only = ON");
    release("lost");
    await waiting;
    await expect(harness.stepwell.start("large")).rejects.toMatchObject({ code: "LEDGER_READ_ONLY" });
    await harness.stepwell.stop();
    expect(calls).toEqual(["work"]);
    const again: string[] = [];
    await using next = new Stepwell({
      ledger: file,
      operators: { work: () => again.push("work"), after: () => again.push("after") },
    });
    expect((await next.result(id)).status).toBe("SUCCEEDED");
    expect(again).toEqual(["work", "after"]);
  });

  test("a corrupted page is LEDGER_CORRUPT, the file is kept as it is, and nothing is lost once the page is back", async () => {
    const held = await heldRun();
    held.release("small");
    await expectWhole(held);
    const page = await tablePage("run");
    const whole = await overwrite(page, Buffer.alloc(page.size, 0xa5));
    const damaged = await readFile(file);
    const stepwell = new Stepwell({ ledger: file });
    await expect(stepwell.result(held.id)).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
    await stepwell.stop();
    expect((await readFile(file)).subarray(page.at, page.at + page.size)).toEqual(damaged.subarray(page.at, page.at + page.size));
    await overwrite(page, whole);
    await using next = new Stepwell({ ledger: file });
    expect(await next.result(held.id)).toMatchObject({ status: "SUCCEEDED", output: "done" });
  });

  test("a second engine on the file is refused with LEDGER_OWNED and may try again when the first has gone", async () => {
    const held = await heldRun();
    const second = new Stepwell({ ledger: await openSqliteLedger({ file }) });
    await expect(second.open()).rejects.toMatchObject({ code: "LEDGER_OWNED" });
    held.release("small");
    await expectWhole(held);
    await using third = new Stepwell({ ledger: file });
    expect(await third.result(held.id)).toMatchObject({ status: "SUCCEEDED" });
  });
});

interface Page {
  readonly at: number;
  readonly size: number;
}

/** Where the root page of a table stands in the file. */
async function tablePage(table: string): Promise<Page> {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const size = Number(db.prepare("PRAGMA page_size").get()?.["page_size"]);
  const root = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table)?.["rootpage"]);
  db.close();
  return { at: (root - 1) * size, size };
}

/** Writes over a page and gives back what was there. */
async function overwrite({ at, size }: Page, bytes: Buffer): Promise<Buffer> {
  const handle = await open(file, "r+");
  const before = Buffer.alloc(size);
  await handle.read(before, 0, size, at);
  await handle.write(bytes, 0, size, at);
  await handle.close();
  return before;
}
