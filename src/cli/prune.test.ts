import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Workspace } from "../../test/fixtures/cli-process.ts";
import { sharedDatabase } from "../../test/fixtures/postgres/file-database.ts";

const FILES = {
  "parent.yaml": "name: parent\nsteps:\n  go: { uses: workflow, with: { name: child } }\n",
  "child.yaml": "name: child\nsteps:\n  say: { uses: log, with: { message: hello } }\n",
  "broken.yaml": "name: broken\nsteps:\n  try: { uses: fail }\n",
  "waiting.yaml": "name: waiting\nsteps:\n  go: { uses: wait, with: { signal: go } }\n",
  "operators.mjs": "export const fail = () => { throw new Error('no'); };\n",
};

const pruned = z.object({
  dryRun: z.boolean(),
  runs: z.number(),
  pruned: z.array(z.object({ workflow: z.string(), status: z.string(), count: z.number() })),
  staying: z.array(z.object({ run: z.string() })),
});

async function prune(place: Workspace, ...flags: readonly string[]): Promise<z.infer<typeof pruned>> {
  const { stdout, stderr, exitCode } = await place.run(["runs", "prune", "--older-than", "0s", "--json", ...flags]);
  expect([exitCode, stderr]).toStrictEqual([0, ""]);
  return pruned.parse(JSON.parse(stdout));
}

const archived = z.object({ id: z.string(), workflow: z.string(), status: z.string(), parent: z.object({ run: z.string() }).nullable() });

function archivedIn(place: Workspace, folder: string): readonly z.infer<typeof archived>[] {
  const files = readdirSync(join(place.folder, folder)).toSorted();
  const texts = files.map((file) => readFileSync(join(place.folder, folder, file), "utf8"));
  return texts.flatMap((text) => text.split("\n").filter((line) => line !== "")).map((line) => archived.parse(JSON.parse(line)));
}

async function workflowsOf(place: Workspace): Promise<readonly string[]> {
  const { stdout } = await place.run(["runs", "list", "--json"]);
  const { runs } = z.object({ runs: z.array(z.object({ workflow: z.string() })) }).parse(JSON.parse(stdout));
  return runs.map(({ workflow }) => workflow).toSorted();
}

/** Two children, one of them of a parent, a failed run, one that waits, and one whose key is young. */
async function fill(place: Workspace): Promise<void> {
  for (const [file, exitCode, ...flags] of [
    ["child.yaml", 0],
    ["parent.yaml", 0],
    ["child.yaml", 0, "--key", "k1"],
    ["broken.yaml", 1, "--operators", "operators.mjs"],
    ["waiting.yaml", 4],
  ] as const)
    expect((await place.run(["run", file, ...flags])).exitCode).toBe(exitCode);
}

describe("stepwell runs prune", () => {
  test("deletes what ended long enough ago, says what, and leaves everything else", async () => {
    using place = new Workspace(FILES);
    await fill(place);
    const all = ["broken", "child", "child", "child", "parent", "waiting"];
    const would = await place.run(["runs", "prune", "--older-than", "0s", "--dry-run"]);
    expect(would.stdout).toBe(
      [
        "WORKFLOW  STATUS     RUNS",
        "broken    FAILED        1",
        "child     SUCCEEDED     1",
        "parent    SUCCEEDED     1",
        "4 runs would be deleted, 1 run that others started among them\n",
      ].join("\n"),
    );
    expect((await place.run(["runs", "prune", "--older-than", "1h"])).stdout).toBe("No run ended more than 1 h ago and may go\n");
    await expect(workflowsOf(place)).resolves.toStrictEqual(all);
    await expect(prune(place, "--workflow", "parent", "--status", "FAILED,CANCELLED")).resolves.toMatchObject({ runs: 0, pruned: [] });
    await expect(prune(place, "--limit", "1", "--dry-run")).resolves.toMatchObject({ dryRun: true, runs: 1 });
    await expect(prune(place, "--workflow", "parent")).resolves.toStrictEqual({
      dryRun: false,
      runs: 2,
      pruned: [{ workflow: "parent", status: "SUCCEEDED", count: 1 }],
      staying: [],
    });
    await expect(workflowsOf(place)).resolves.toStrictEqual(["broken", "child", "child", "waiting"]);
    await expect(prune(place, "--limit", "1")).resolves.toMatchObject({ runs: 1, pruned: [{ workflow: "child" }] });
    expect((await place.run(["runs", "prune", "--older-than", "0s", "--status", "FAILED"])).stdout).toContain("1 run is deleted\n");
    await expect(workflowsOf(place)).resolves.toStrictEqual(["child", "waiting"]);
    expect((await place.run(["run", "child.yaml", "--key", "k1"])).exitCode).toBe(0);
    await expect(workflowsOf(place)).resolves.toStrictEqual(["child", "waiting"]);
  });

  test("writes what it deletes into an archive before, and leaves what it cannot read", async () => {
    using place = new Workspace(FILES);
    await fill(place);
    await expect(prune(place, "--archive", "gone", "--dry-run")).resolves.toMatchObject({ runs: 4 });
    await expect(prune(place, "--archive", "gone", "--workflow", "parent")).resolves.toMatchObject({ runs: 2 });
    const [parent, child, ...others] = archivedIn(place, "gone");
    expect(parent).toMatchObject({ workflow: "parent", status: "SUCCEEDED", parent: null });
    expect(child).toMatchObject({ workflow: "child", parent: { run: parent?.id } });
    expect(others).toEqual([]);
    const db = new DatabaseSync(join(place.folder, ".stepwell", "ledger.db"));
    db.exec("UPDATE run SET input = '[]' WHERE status = 'FAILED'");
    db.close();
    const rest = await place.run(["runs", "prune", "--older-than", "0s", "--archive", "gone", "--json"]);
    expect([rest.exitCode, JSON.parse(rest.stdout)]).toMatchObject([1, { runs: 1, staying: [{ error: { code: "LEDGER_CORRUPT" } }] }]);
    expect(rest.stderr).toMatch(
      /^stepwell: LEDGER_CORRUPT: \S+ stays, it cannot be archived: .*\n {2}hint: Without --archive it is deleted/,
    );
    expect(archivedIn(place, "gone").map(({ workflow }) => workflow)).toEqual(["parent", "child", "child"]);
    const refused = await place.run(["runs", "prune", "--older-than", "0s", "--archive", "child.yaml"]);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("stepwell: ARCHIVE_UNAVAILABLE: The archive ")]);
  });

  test.each([
    [[], "required option '--older-than <duration>' not specified"],
    [["--older-than", "30"], `argument '30' is invalid. "30" is not a duration. Write a number with a unit`],
    [["--older-than", "1d", "--status", "DONE"], "argument 'DONE' is invalid. Runs do not end DONE. Name SUCCEEDED, FAILED, CANCELLED."],
    [["--older-than", "1d", "--limit", "0"], "argument '0' is invalid. Write a whole number from 1."],
  ])("%j is refused before anything is looked at", async (flags, said) => {
    using place = new Workspace();
    const { exitCode, stdout, stderr } = await place.run(["runs", "prune", ...flags]);
    expect([exitCode, stdout]).toStrictEqual([2, ""]);
    expect(stderr).toContain(said);
  });
});

describe("a worker with a retention", () => {
  const database = sharedDatabase();

  test("deletes what is kept no longer by itself, and says so", async () => {
    const url = `${await database()}?schema=kept`;
    using place = new Workspace(FILES, { STEPWELL_LEDGER: url });
    await fill(place);
    const worker = place.start(["worker", "--retention", "SUCCEEDED=0s"]);
    await worker.printed("3 runs deleted that had ended and were kept no longer");
    worker.kill("SIGTERM");
    expect((await worker.ended).exitCode).toBe(0);
    await expect(workflowsOf(place)).resolves.toStrictEqual(["broken", "child", "waiting"]);
  });

  test("archives what it deletes: whenever it is killed, each run is in the ledger or in the archive", async () => {
    const url = `${await database()}?schema=archived`;
    using place = new Workspace(FILES, { STEPWELL_LEDGER: url });
    await fill(place);
    const worker = place.start(["worker", "--retention", "SUCCEEDED=0s", "--archive", "gone"]);
    while (archivedSoFar(place) === 0) await new Promise((resolve) => setImmediate(resolve));
    worker.kill("SIGKILL");
    await worker.ended;
    const left = await workflowsOf(place);
    const kept = archivedIn(place, "gone").map(({ workflow }) => workflow);
    for (const workflow of ["parent", "child"]) expect([...left, ...kept]).toContain(workflow);
    await expect(prune(place, "--status", "SUCCEEDED", "--archive", "gone")).resolves.toMatchObject({ staying: [] });
    await expect(workflowsOf(place)).resolves.toStrictEqual(["broken", "child", "waiting"]);
    const workflows = new Map(archivedIn(place, "gone").map(({ id, workflow }) => [id, workflow]));
    const count = (name: string): number => [...workflows.values()].filter((workflow) => workflow === name).length;
    expect([workflows.size, count("parent"), count("child")]).toEqual([3, 1, 2]);
  });
});

/** Bytes of the archive of a worker that has just begun with it. */
function archivedSoFar(place: Workspace): number {
  const folder = join(place.folder, "gone");
  const files = existsSync(folder) ? readdirSync(folder) : [];
  return files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}
