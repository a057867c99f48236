import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Workspace } from "../../test/fixtures/cli-process.ts";
import { sharedDatabase } from "../../test/fixtures/postgres/file-database.ts";
import { firstTask, newestRun, startWaiting } from "../../test/fixtures/waiting-run.ts";

const diagnosis = z.object({ ok: z.boolean(), findings: z.array(z.object({ what: z.string(), ok: z.boolean(), found: z.string() })) });
const FLAKY = "export const flaky = (input, { attempt }) => { if (attempt === 1) throw new Error('not yet'); return attempt; };\n";

describe("a ledger in PostgreSQL", () => {
  const database = sharedDatabase();

  async function workspaceOn(schema: string, files: Readonly<Record<string, string>> = {}): Promise<Workspace> {
    return new Workspace(files, { STEPWELL_LEDGER: `${await database()}?schema=${schema}` });
  }

  async function findings(place: Workspace): Promise<ReadonlyMap<string, string>> {
    const { ok, findings: found } = diagnosis.parse(JSON.parse((await place.run(["doctor", "--json"])).stdout));
    expect(ok).toBe(true);
    return new Map(found.map((each) => [each.what, each.found]));
  }

  test("is made by migrate, and by nothing that only looks; many may start it at once", async () => {
    using place = await workspaceOn("made");
    const none = await place.run(["runs", "list"]);
    expect([none.exitCode, none.stdout]).toStrictEqual([1, ""]);
    expect(none.stderr).toMatch(
      /^stepwell: LEDGER_UNAVAILABLE: There is no ledger in the schema made of postgres:\/\/[^@]+\n {2}hint: stepwell migrate /,
    );
    expect((await findings(place)).get("Schema")).toBe("not there yet; stepwell migrate makes it");
    const migrations = await Promise.all([1, 2, 3].map(() => place.run(["migrate"])));
    expect(migrations.map(({ exitCode }) => exitCode)).toStrictEqual([0, 0, 0]);
    expect(migrations.filter(({ stdout }) => stdout.includes("Applied migration 1 (first)"))).toHaveLength(1);
    const again = await place.run(["migrate", "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({ before: 1, now: 1, applied: [] });
    expect((await place.run(["runs", "list"])).stdout).toBe("No runs\n");
  });

  test("whoever is outside decides, signals, publishes and completes beside a running engine", async () => {
    using place = await workspaceOn("outside");
    const engine = await startWaiting(place);
    const run = await newestRun(place);
    const found = await findings(place);
    expect(found.get("Durability")).toBe("fsync=on, full_page_writes=on, synchronous_commit=on");
    expect(found.get("Schema")).toBe("migration 1 of 1");
    expect(found.get("Unfinished runs")).toBe("1");
    expect(found.get("Engine")).toMatch(/^\S+, process \d+ on \S+, Stepwell \S+, heard of .+ ago$/);
    expect((await place.run(["explain", run])).stdout).toContain("waits until ana or group finance decides");
    const approved = await place.run(["tasks", "approve", await firstTask(place), "--as", "ana", "--form", '{"amount":3}']);
    expect(approved.stdout).toMatch(/; the engine \(process \d+ on .*\) goes on with step review/);
    await engine.printed("review   succeeded");
    await place.run(["signal", run, "paid"]);
    await engine.printed("paid     succeeded");
    await place.run(["events", "publish", "parcel.shipped", "--data", '{"orderId":"A-7"}']);
    await engine.printed("shipped  succeeded");
    await place.run(["tasks", "complete", await firstTask(place, "--topic", "packing"), "--result", "1"]);
    await engine.printed("pack     succeeded");
    await place.run(["runs", "pause", run, "--as", "ana"]);
    expect((await engine.ended).exitCode).toBe(4);
    expect((await place.run(["runs", "list", "--status", "SUSPENDED"])).stdout).toContain("SUSPENDED (paused)");
    expect((await place.run(["runs", "resume", run])).stdout).toContain("no engine is at work on this ledger");
    await place.run(["runs", "cancel", run]);
    expect((await place.run(["run", "waiting.yaml", "--resume"])).exitCode).toBe(3);
  });

  test("several commands run their runs at once, and a failed one is tried again", async () => {
    using place = await workspaceOn("several", { "flaky.yaml": "name: flaky\nsteps:\n  try: { uses: flaky }\n", "operators.mjs": FLAKY });
    const call = ["run", "flaky.yaml", "--operators", "operators.mjs", "--json"];
    const ended = await Promise.all([place.run(call), place.run(call)]);
    expect(ended.map(({ exitCode, stderr }) => [exitCode, stderr])).toStrictEqual([
      [1, ""],
      [1, ""],
    ]);
    const run = await newestRun(place);
    expect((await place.run(["runs", "retry", run])).exitCode).toBe(0);
    const resumed = await place.run([...call, "--resume"]);
    expect(resumed.exitCode).toBe(0);
    expect(JSON.parse((await place.run(["runs", "show", run, "--json"])).stdout)).toMatchObject({ id: run, status: "SUCCEEDED" });
  });

  test("what is printed to be typed again has no password", async () => {
    using place = await workspaceOn("secret", { "wait.yaml": "name: wait\nsteps:\n  go: { uses: wait, with: { signal: go } }\n" });
    const url = `${await database()}?schema=other`;
    const { exitCode, stderr } = await place.run(["run", "wait.yaml", "--ledger", url]);
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/stepwell signal \S+ go --ledger 'postgres:\/\/\w+:\*\*\*@/);
    expect(stderr).not.toContain(new URL(url).password);
  });
});

test("an unreachable server is one coded line, and doctor calls it wrong", async () => {
  using place = new Workspace({}, { STEPWELL_LEDGER: "postgres://me:secret@127.0.0.1:1/base" });
  const { exitCode, stdout, stderr } = await place.run(["migrate"]);
  expect([exitCode, stdout]).toStrictEqual([1, ""]);
  expect(stderr).toMatch(/^stepwell: LEDGER_UNREACHABLE: postgres:\/\/127\.0\.0\.1:1\/base: /);
  const doctor = await place.run(["doctor"]);
  expect(doctor.exitCode).toBe(1);
  expect(doctor.stdout).toMatch(/^WRONG {2}Ledger +LEDGER_UNREACHABLE: /m);
});
