import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { sqliteLedgers } from "../../testing/conformance/ledger/backends.ts";
import {
  APPROVAL,
  aQueuedRun,
  endRun,
  insertRun,
  insertStep,
  insertTask,
  insertWait,
  settleStep,
  TENANT,
  unit,
} from "../../testing/conformance/ledger/builders.ts";
import { commit, eachCase, refusal, startedRun, WORKER } from "../../testing/conformance/ledger/kit.ts";

const OWNER = fileURLToPath(import.meta.resolve("../../testing/conformance/ledger/owner-process.ts"));

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Owner {
  readonly child: ChildProcess;
  readonly epoch: number;
  readonly runId: number;
}

/** Starts a process that owns the ledger and has one run going. */
async function startOwner(file: string): Promise<Owner> {
  const child = spawn(process.execPath, [OWNER, `sqlite:${file}`], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const died = once(child, "exit").then(([code]: unknown[]) => Promise.reject(new Error(`the owner ended with ${String(code)}`)));
  const [line]: unknown[] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), died]);
  died.catch(() => undefined);
  const told: { readonly epoch: number; readonly runId: number } = JSON.parse(String(line));
  return { child, ...told };
}

/** What another process reads by plain SQL. */
function queryElsewhere(file: string, sql: string): unknown {
  const script = `const { DatabaseSync } = require("node:sqlite");
    console.log(JSON.stringify(new DatabaseSync(process.argv[1]).prepare(process.argv[2]).all()))`;
  return JSON.parse(execFileSync(process.execPath, ["-e", script, file, sql], { encoding: "utf8" }));
}

describe("two processes on one SQLite ledger", () => {
  const get = eachCase(sqliteLedgers);

  test("S0-19 a second process reads every step PENDING by SQL before anything executes", async () => {
    const { ledger, version, file = "" } = get();
    await ledger.enqueueRun(aQueuedRun(version.id, "run-a"));
    expect(queryElsewhere(file, "SELECT status FROM runs WHERE id = 'run-a'")).toEqual([{ status: "QUEUED" }]);
    expect(queryElsewhere(file, "SELECT path, status FROM step_runs WHERE run_id = 'run-a' ORDER BY ordinal")).toEqual([
      { path: "first", status: "PENDING" },
      { path: "second", status: "PENDING" },
      { path: "third", status: "PENDING" },
    ]);
  });

  test("S0-14 S2-8 the stable views show a finished run with its times, attempts, waits and signals", async () => {
    const fixture = get();
    const { file = "" } = fixture;
    const runId = await startedRun(fixture);
    const publicId = `run-${runId}`;
    await fixture.ledger.accept({ tenant: TENANT, publicId, kind: "cancel", payload: null, actor: "ann" });
    const lost = { write: "insertAttempt", runId, ordinal: 0, attempt: 1, status: "DISCARDED", error: null, revision: 2 } as const;
    const wait = insertWait(runId, 1, { kind: "no_worker", dueInMs: 5 });
    await commit(fixture, unit(runId, [lost, wait, settleStep(runId, 0), endRun(runId)], 1));
    const { time } = fixture.clock;
    expect(queryElsewhere(file, "SELECT tenant, id, workflow, status, output, finished_at FROM runs")).toEqual([
      { tenant: TENANT, id: publicId, workflow: "order", status: "SUCCEEDED", output: "7", finished_at: time },
    ]);
    expect(queryElsewhere(file, "SELECT run_id, path, attempt, status FROM attempts")).toEqual([
      { run_id: publicId, path: "first", attempt: 1, status: "DISCARDED" },
    ]);
    expect(queryElsewhere(file, "SELECT run_id, path, kind, due_at FROM waits")).toEqual([
      { run_id: publicId, path: "second", kind: "no_worker", due_at: time + 5 },
    ]);
    expect(queryElsewhere(file, "SELECT run_id, seq, kind, actor FROM signals")).toEqual([
      { run_id: publicId, seq: 1, kind: "cancel", actor: "ann" },
    ]);
    expect(queryElsewhere(file, "SELECT count(*) AS lines FROM history")).toEqual([{ lines: 6 }]);
  });

  test("S2-8 the stable views show blocks with their items, tasks, children and who paused a run", async () => {
    const fixture = get();
    const { file = "" } = fixture;
    const runId = await startedRun(fixture);
    const childId = await fixture.ledger.reserveRunIds(1);
    const place = { runId, step: "second[0].call", ordinal: 4, depth: 1, rootRunId: runId };
    await commit(
      fixture,
      unit(runId, [
        insertStep(runId, 1, { kind: "block", status: "SUSPENDED", reason: "steps" }),
        insertStep(runId, 4, { path: "second[0].call", uses: "workflow", parent: 3, status: "SUSPENDED", reason: "child" }),
        insertStep(runId, 5, { kind: "item", path: "second[1]", parent: 1, status: "SUCCEEDED", attempt: 0, output: "7" }),
        insertWait(runId, 4, { kind: "child", childRunId: childId }),
        insertRun(fixture.version.id, childId, { parent: place, status: "QUEUED" }),
        insertTask(runId, 0, { task: APPROVAL }),
        { write: "pauseRun", runId, pausedBy: "ann", revision: 2 },
      ]),
    );
    const [parent, child] = [`run-${runId}`, `run-${childId}`];
    const of = (sql: string) => queryElsewhere(file, sql);
    expect(of("SELECT id, parent_run_id, parent_step, depth, root_run_id, paused_by FROM runs ORDER BY depth")).toEqual([
      { id: parent, parent_run_id: null, parent_step: null, depth: 0, root_run_id: null, paused_by: "ann" },
      { id: child, parent_run_id: parent, parent_step: "second[0].call", depth: 1, root_run_id: parent, paused_by: null },
    ]);
    expect(of(`SELECT path, uses, status FROM step_runs WHERE run_id = '${parent}' AND ordinal IN (1, 4, 5)`)).toEqual([
      { path: "second", uses: "transform", status: "RUNNING" },
      { path: "second[0].call", uses: "workflow", status: "SUSPENDED" },
    ]);
    expect(of("SELECT run_id, path, kind, status, output FROM items")).toEqual([
      { run_id: parent, path: "second[1]", kind: "item", status: "SUCCEEDED", output: "7" },
    ]);
    expect(of("SELECT path, kind, child_run_id, since FROM waits")).toEqual([
      { path: "second[0].call", kind: "child", child_run_id: child, since: fixture.clock.time },
    ]);
    expect(of("SELECT run_id, path, type, title, assignees, status FROM tasks")).toEqual([
      { run_id: parent, path: "first", type: "approval", title: APPROVAL.title, assignees: '["ann"]', status: "READY" },
    ]);
  });

  test("S0-32 a killed owner's lock is free at once, its epoch is fenced, its run is taken up", async () => {
    const fixture = get();
    const { file = "" } = fixture;
    await fixture.ledger.close();
    const dead = await startOwner(file);
    const ledger = await fixture.again();
    const refused = await refusal(ledger.own(WORKER));
    expect(refused).toMatchObject({ code: "LEDGER_OWNED", data: { name: "owner", pid: dead.child.pid } });
    await expect(ledger.listRuns({ tenant: TENANT, limit: 5 })).resolves.toMatchObject({ runs: [{ id: dead.runId, status: "RUNNING" }] });
    await expect(ledger.enqueueRun(aQueuedRun(1, "run-b"))).resolves.toMatchObject({ created: true });

    dead.child.kill("SIGKILL");
    await once(dead.child, "exit");
    const owner = await ledger.own(WORKER);
    expect(owner.epoch).toBe(dead.epoch + 1);
    const settle = unit(dead.runId, [settleStep(dead.runId, 0)]);
    await expect(ledger.commit({ epoch: dead.epoch, units: [settle] })).resolves.toEqual({ outcome: "fenced" });
    await expect(ledger.loadRun(dead.runId)).resolves.toMatchObject({ run: { ownerEpoch: dead.epoch }, steps: [{ status: "RUNNING" }] });
    await expect(ledger.commit({ epoch: owner.epoch, units: [settle] })).resolves.toMatchObject({ outcome: "committed" });
    await ledger.close();
  });

  test("the clock's high-water mark outlives the process that set it", async () => {
    const fixture = get();
    const at = fixture.clock.time;
    await fixture.ledger.close();
    fixture.clock.time = at - 60_000;
    const ledger = await fixture.again();
    await expect(ledger.own(WORKER)).resolves.toMatchObject({ now: at });
    expect(fixture.warnings).toHaveLength(1);
    await ledger.close();
  });
});
