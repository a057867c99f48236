import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LineProcess } from "./lines.ts";

let directory = "";
let engine: LineProcess | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "stepwell-preflight-"));
});

afterEach(async () => {
  engine?.kill();
  await engine?.ended();
  await rm(directory, { recursive: true });
});

/** What SQL in this process shows of a run of the other one. */
function readSteps(file: string, runId: string): readonly unknown[] {
  const db = new DatabaseSync(file, { readOnly: true });
  const run = db.prepare("SELECT status FROM runs WHERE id = ?").get(runId);
  const steps = db
    .prepare("SELECT path || ' ' || status || ' ' || attempt AS shown FROM step_runs WHERE run_id = ? ORDER BY ordinal")
    .all(runId);
  db.close();
  return [run?.["status"], ...steps.map(({ shown }) => shown)];
}

test("S0-19 S0-22 before the first operator is called, another process reads the run, its RUNNING step and all PENDING ones", async () => {
  const file = join(directory, "ledger.db");
  engine = new LineProcess(new URL("held-engine.ts", import.meta.url), [file]);
  const started = await engine.told("started");
  const queued = await engine.told("queued");
  await engine.told("held");
  expect(readSteps(file, started)).toEqual(["RUNNING", "a RUNNING 1", "b PENDING 0", "c PENDING 0"]);
  expect(readSteps(file, queued)).toEqual(["QUEUED", "a PENDING 0", "b PENDING 0", "c PENDING 0"]);
  expect(engine.lines.filter((line) => line.startsWith("called"))).toEqual([]);
  engine.tell("go");
  for (const id of [started, queued]) expect(await engine.told(`ended-${id}`)).toBe("SUCCEEDED");
  expect(await engine.ended()).toBe(0);
  const calls = engine.lines.filter((line) => line.startsWith("called"));
  expect(calls).toEqual([started, queued].flatMap((id) => ["a", "b", "c"].map((step) => `called ${step} ${id}`)));
  expect(readSteps(file, queued)).toEqual(["SUCCEEDED", "a SUCCEEDED 1", "b SUCCEEDED 1", "c SUCCEEDED 1"]);
});

test("S0-34 S0-14 a killed engine leaves a ledger that any process can read, and that the next engine goes on with", async () => {
  const file = join(directory, "ledger.db");
  const killed = new LineProcess(new URL("held-engine.ts", import.meta.url), [file]);
  engine = killed;
  const run = await killed.told("started");
  await killed.told("held");
  killed.kill();
  await killed.ended();
  expect(readSteps(file, run)).toEqual(["RUNNING", "a RUNNING 1", "b PENDING 0", "c PENDING 0"]);
  engine = new LineProcess(new URL("held-engine.ts", import.meta.url), [file]);
  await engine.told("held");
  expect(readSteps(file, run)).toEqual(["RUNNING", "a RUNNING 2", "b PENDING 0", "c PENDING 0"]);
  engine.tell("go");
  await engine.told("started");
  expect(await engine.ended()).toBe(0);
  expect(readSteps(file, run)).toEqual(["SUCCEEDED", "a SUCCEEDED 2", "b SUCCEEDED 1", "c SUCCEEDED 1"]);
});
