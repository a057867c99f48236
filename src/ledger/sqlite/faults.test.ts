import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { sqliteLedgers } from "../../testing/conformance/ledger/backends.ts";
import {
  aVersion,
  insertRun,
  insertStep,
  insertSubscription,
  insertTask,
  insertWait,
  settleStep,
  TENANT,
  unit,
} from "../../testing/conformance/ledger/builders.ts";
import { commit, eachCase, type LedgerCase, refusal, runOf, startedRun, stepOf, WORKER } from "../../testing/conformance/ledger/kit.ts";
import type { Ledger } from "../port.ts";
import { openDatabase } from "./connection.ts";
import { openSqliteLedger, sqliteLedgerOn } from "./ledger.ts";
import { SqliteSession } from "./session.ts";

const [MOUNT, UMOUNT] = ["mount", "umount"];
const NOBODY = 65_534;
const isRoot = process.geteuid?.() === 0;

describe("a disk or file that fails", () => {
  const get = eachCase(sqliteLedgers);

  test("a full database refuses with LEDGER_FULL, keeps all it has, and goes on once there is room", async () => {
    const fixture = get();
    const { file = "" } = fixture;
    const db = await openDatabase(file, 50);
    await fixture.ledger.close();
    const ledger = sqliteLedgerOn(db, { file, clock: fixture.clock });
    const owner = await ledger.own(WORKER);
    const small = { ...fixture, ledger, owner };
    const runId = await startedRun(small);
    db.exec("PRAGMA max_page_count = 60");
    const big = unit(runId, [settleStep(runId, 0, { output: JSON.stringify("x".repeat(400_000)) })]);
    expect((await refusal(commit(small, big))).code).toBe("LEDGER_FULL");
    await expect(stepOf(small, runId, 0)).resolves.toMatchObject({ status: "RUNNING" });
    db.exec("PRAGMA max_page_count = 100000");
    await expect(commit(small, big)).resolves.toMatchObject({ outcome: "committed" });
    await expect(stepOf(small, runId, 0)).resolves.toMatchObject({ status: "SUCCEEDED" });
    expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    await ledger.close();
  });

  test.skipIf(!canMount())("a full file system does the same (skipped without the right to mount a tmpfs)", async () => {
    const directory = mkdtempSync(join(tmpdir(), "stepwell-full-"));
    mountTmpfs(directory);
    try {
      await expect(fillAndFree(directory, get())).resolves.toBeGreaterThan(3);
    } finally {
      execFileSync(UMOUNT, [directory]);
      rmSync(directory, { recursive: true });
    }
  });

  test("a file without write permission is LEDGER_READ_ONLY, can be read, and is whole afterwards", async () => {
    const fixture = get();
    const { file = "" } = fixture;
    const runId = await startedRun(fixture);
    chmodSync(dirname(dirname(file)), 0o755);
    chmodSync(file, 0o444);
    await asNobody(async () => {
      const ledger = await fixture.again();
      await expect(ledger.listRuns({ tenant: TENANT, limit: 1 })).resolves.toMatchObject({ runs: [{ id: runId }] });
      expect((await refusal(ledger.reserveRunIds(1))).code).toBe("LEDGER_READ_ONLY");
      await ledger.close();
    });
    chmodSync(file, 0o644);
    await expect(commit(fixture, unit(runId, [settleStep(runId, 0)]))).resolves.toMatchObject({ outcome: "committed" });
  });

  test("a directory that may not be used is LEDGER_UNAVAILABLE, and so is a path that is one", async () => {
    const { file = "" } = get();
    const closed = join(dirname(file), "closed");
    mkdirSync(closed, { mode: 0o500 });
    await asNobody(async () => {
      expect((await refusal(openSqliteLedger({ file: join(closed, "deeper", "ledger.db") }))).code).toBe("LEDGER_UNAVAILABLE");
    });
    expect((await refusal(openSqliteLedger({ file: closed }))).code).toBe("LEDGER_UNAVAILABLE");
  });

  test("a file that another process locks is LEDGER_BUSY after a bounded wait, and works when it is free", async () => {
    const fixture = get();
    const { ledger, file = "" } = fixture;
    await ledger.close();
    const patient = await fixture.again();
    const owner = await patient.own(WORKER);
    const locked = { ...fixture, ledger: patient, owner };
    const runId = await startedRun(locked);
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const settle = unit(runId, [settleStep(runId, 0)]);
    expect((await refusal(commit(locked, settle))).code).toBe("LEDGER_BUSY");
    await expect(stepOf(locked, runId, 0)).resolves.toMatchObject({ status: "RUNNING" });
    other.exec("ROLLBACK");
    other.close();
    await expect(commit(locked, settle)).resolves.toMatchObject({ outcome: "committed" });
    await patient.close();
  });

  test("after an I/O error nothing is written until the file is opened anew", async () => {
    const { file = "" } = get();
    const session = new SqliteSession(await openDatabase(file, 50), file);
    const broken = Object.assign(new Error("disk I/O error"), { errcode: 1_034 });
    const failing = () =>
      session.transaction(() => {
        throw broken;
      });
    expect(failing).toThrow(expect.objectContaining({ code: "LEDGER_IO", cause: broken }));
    expect(() => session.transaction(() => 1)).toThrow(expect.objectContaining({ code: "LEDGER_IO" }));
    session.close();
    const anew = new SqliteSession(await openDatabase(file, 50), file);
    expect(anew.transaction(() => 1)).toBe(1);
    anew.close();
  });
});

describe("damage", () => {
  const get = eachCase(sqliteLedgers);

  test("a broken header is LEDGER_CORRUPT and the file is left as it is", async () => {
    const { ledger, again, file = "" } = get();
    await ledger.close();
    const bytes = readFileSync(file);
    bytes.fill(0xff, 0, 64);
    writeFileSync(file, bytes);
    expect((await refusal(again())).code).toBe("LEDGER_CORRUPT");
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  test("a file of something else is LEDGER_CORRUPT and the file is left as it is", async () => {
    const { file = "" } = get();
    const text = join(dirname(file), "notes.txt");
    writeFileSync(text, "not a database, but longer than a header of one hundred bytes. ".repeat(20));
    expect((await refusal(openSqliteLedger({ file: text }))).code).toBe("LEDGER_CORRUPT");
    expect(readFileSync(text, "utf8")).toContain("not a database");
  });

  test("a flipped bit in a payload is found on reading; run and step are named; the others are served", async () => {
    const fixture = get();
    const { file = "" } = fixture;
    const [hurt, sound] = [await startedRun(fixture), await startedRun(fixture)];
    const output = JSON.stringify({ note: "payload-to-be-damaged" });
    await commit(fixture, unit(hurt, [settleStep(hurt, 0, { output })]), unit(sound, [settleStep(sound, 0)]));
    await fixture.ledger.close();
    const bytes = readFileSync(file);
    const at = bytes.indexOf("payload-to-be-damaged");
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const ledger = await fixture.again();
    const error = await refusal(ledger.listSteps(TENANT, `run-${hurt}`));
    expect(error).toMatchObject({ code: "LEDGER_CORRUPT", data: { run: `run-${hurt}`, step: "first", column: "result" } });
    expect((await refusal(ledger.loadRun(hurt))).data).toEqual({ run: `run-${hurt}`, step: "first", column: "result" });
    await expect(ledger.listSteps(TENANT, `run-${sound}`)).resolves.toHaveLength(3);
    await ledger.close();
    expect(readFileSync(file).includes("qayload-to-be-damaged")).toBe(true);
  });

  test.each([
    ["run", "input", (ledger: Ledger, runId: number) => ledger.getRun(TENANT, `run-${runId}`)],
    ["run", "status", (ledger: Ledger, runId: number) => ledger.loadRun(runId)],
    ["run", "output", (ledger: Ledger) => ledger.listRuns({ tenant: TENANT, limit: 5 })],
    ["step", "status", (ledger: Ledger, runId: number) => ledger.listSteps(TENANT, `run-${runId}`)],
    ["step", "error", (ledger: Ledger, runId: number) => ledger.loadRun(runId)],
    ["attempt", "error", (ledger: Ledger, runId: number) => ledger.listAttempts(TENANT, `run-${runId}`)],
    ["event", "detail", (ledger: Ledger, runId: number) => ledger.listHistory(TENANT, `run-${runId}`)],
    ["inbox", "payload", (ledger: Ledger) => ledger.claims.sent(0, 5)],
    ["wait", "detail", (ledger: Ledger, runId: number) => ledger.waits.listWaits(TENANT, `run-${runId}`)],
    ["task", "payload", (ledger: Ledger, runId: number) => ledger.tasks.get(TENANT, `task-${runId}-0`)],
    ["task", "error", (ledger: Ledger) => ledger.tasks.list({ tenant: TENANT, limit: 5 })],
    ["version", "definition", (ledger: Ledger) => ledger.latestVersion(TENANT, "order")],
  ])("a changed %s.%s is found", async (table, column, read) => {
    const fixture = get();
    const { file = "" } = fixture;
    const runId = await startedRun(fixture);
    await fixture.ledger.accept({ tenant: TENANT, publicId: `run-${runId}`, kind: "cancel", payload: 1, actor: "ann" });
    const lost = { write: "insertAttempt", runId, ordinal: 0, attempt: 1, status: "LOST", error: null, revision: 2 } as const;
    const event = { write: "insertEvent", runId, event: "noted", detail: "{}", actor: "ann", revision: 2 } as const;
    await commit(fixture, unit(runId, [lost, event, insertWait(runId, 0), insertTask(runId, 0)], 1));
    const db = new DatabaseSync(file);
    db.exec(`UPDATE ${table} SET ${column} = 'changed'`);
    db.close();
    expect((await refusal(read(fixture.ledger, runId))).code).toBe("LEDGER_CORRUPT");
  });

  test("a damaged kept event is found by the subscription that comes to it, not by one that an older event satisfies", async () => {
    const fixture = get();
    const runId = await startedRun(fixture);
    for (const id of ["e1", "e2"]) {
      await fixture.ledger.events.publish({ tenant: TENANT, event: "paid", id, data: 1, retainMs: 86_400_000 });
    }
    const db = new DatabaseSync(fixture.file ?? "");
    db.exec("UPDATE event_kept SET data = '2' WHERE event_id = 'e2'");
    db.close();
    await expect(commit(fixture, unit(runId, [insertSubscription(runId, 0)]))).resolves.toMatchObject({ accepted: [{ seq: 1 }] });
    const error = await refusal(commit(fixture, unit(runId, [insertSubscription(runId, 0)], 1)));
    expect(error).toMatchObject({ code: "LEDGER_CORRUPT", data: { event: "e2", column: "data" } });
  });
});

async function fillAndFree(directory: string, fixture: LedgerCase): Promise<number> {
  const ballast = join(directory, "ballast");
  writeFileSync(ballast, Buffer.alloc(400_000));
  const file = join(directory, "ledger.db");
  const ledger = await openSqliteLedger({ file, clock: fixture.clock });
  const owner = await ledger.own(WORKER);
  const version = await ledger.putVersion(aVersion());
  const small = { ...fixture, ledger, owner, version };
  const fill = async (): Promise<number> => {
    const runId = await ledger.reserveRunIds(1);
    const output = JSON.stringify("x".repeat(20_000));
    const step = insertStep(runId, 0, { status: "SUCCEEDED", output });
    await commit(small, unit(runId, [insertRun(version.id, runId), step], null));
    return runId;
  };
  const kept: number[] = [];
  const full = await refusal(
    (async () => {
      for (;;) kept.push(await fill());
    })(),
  );
  expect(full.code).toBe("LEDGER_FULL");
  expect(kept.length).toBeGreaterThan(2);
  for (const runId of kept) await expect(runOf(small, runId)).resolves.toMatchObject({ status: "RUNNING" });
  rmSync(ballast);
  kept.push(await fill());
  await ledger.close();
  const again = await openSqliteLedger({ file });
  await expect(again.unfinished(0, 1_000)).resolves.toHaveLength(kept.length);
  await again.close();
  return kept.length;
}

function mountTmpfs(directory: string): void {
  execFileSync(MOUNT, ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], { stdio: "ignore" });
}

function canMount(): boolean {
  if (!isRoot || process.platform !== "linux") return false;
  const probe = mkdtempSync(join(tmpdir(), "stepwell-mount-"));
  try {
    mountTmpfs(probe);
    execFileSync(UMOUNT, [probe]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true });
  }
}

/** Root may write everything, so a test of permissions steps down for a while. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  if (!isRoot) return work();
  process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}
