import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type RunningProcess, Workspace } from "../../../test/fixtures/cli-process.ts";
import { type Gate, gate } from "../../../test/fixtures/gate.ts";
import { query } from "../../../test/fixtures/postgres/database.ts";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";

const OPERATORS = `export const double = ({ value }) => value * 2;
export const block = ({ ms }) => {
  for (const end = performance.now() + ms; performance.now() < end; );
  return ms;
};
`;
const BLOCKED = `
name: blocked
steps:
  block: { uses: block, with: { ms: 3000 } }
  after: { uses: double, needs: [block], with: { value: 1 } }
`;

/** A run that is held in its second step until the gate opens. */
function held(at: Gate): string {
  return `
name: held
steps:
  before: { uses: double, with: { value: 21 } }
  hold: { uses: http, needs: [before], with: { url: "${at.url}" }, timeout: 60s, output: { done: true } }
  after: { uses: double, needs: [hold], with: { value: "{{ steps.before.output }}" } }
output: "{{ steps.after.output }}"
`;
}

const event = z.looseObject({
  at: z.iso.datetime(),
  type: z.string(),
  run: z.looseObject({ id: z.string(), workflow: z.string() }).optional(),
});

describe("stepwell worker", () => {
  const database = sharedDatabase();

  /** A folder whose commands find a ledger of its own. */
  async function workspaceOn(schema: string, door: Gate): Promise<Workspace> {
    const url = `${await database()}?schema=${schema}`;
    return new Workspace({ "held.yaml": held(door), "blocked.yaml": BLOCKED, "operators.mjs": OPERATORS }, { STEPWELL_DATABASE_URL: url });
  }

  async function startWorker(place: Workspace, ...flags: readonly string[]): Promise<RunningProcess> {
    const worker = place.start(["worker", "--operators", "operators.mjs", ...flags]);
    await worker.printed(flags.includes("--json") ? '"worker.ready"' : " is ready: ");
    return worker;
  }

  /** Leaves a run to the workers and gives its id. */
  async function leaveRun(place: Workspace): Promise<string> {
    const { stdout, stderr } = await place.run(["run", "held.yaml", "--operators", "operators.mjs", "--detach", "--json"]);
    expect(stderr).toBe("");
    return z.object({ id: z.uuid(), created: z.literal(true) }).parse(JSON.parse(stdout)).id;
  }

  test("S0-11 a run whose worker is killed in the middle of it ends on another one", async () => {
    await using door = await gate();
    using place = await workspaceOn("killed", door);
    const first = await startWorker(place, "--lease", "1s");
    const id = await leaveRun(place);
    await door.request(1);
    const second = await startWorker(place, "--lease", "1s");
    first.kill("SIGKILL");
    await door.request(2);
    door.open();
    await second.printed(`held  ${id}  SUCCEEDED`);
    second.kill("SIGTERM");
    const { exitCode, stdout, stderr } = await second.ended;
    expect([exitCode, stderr]).toStrictEqual([0, ""]);
    expect(stdout).toContain(`held  ${id}  goes on here`);
    const shown = await place.run(["runs", "show", id, "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      status: "SUCCEEDED",
      output: 84,
      steps: [
        { id: "before", attempt: 1 },
        { id: "hold", attempt: 2 },
        { id: "after", attempt: 1 },
      ],
    });
  });

  test("P5 an operator that holds up the event loop for longer than the lease keeps its run", async () => {
    await using door = await gate();
    using place = await workspaceOn("stalled", door);
    const [first, second] = [await startWorker(place, "--lease", "1s"), await startWorker(place, "--lease", "1s")];
    const { stdout } = await place.run(["run", "blocked.yaml", "--operators", "operators.mjs", "--detach", "--json"]);
    const { id } = z.object({ id: z.uuid() }).parse(JSON.parse(stdout));
    await Promise.race([first, second].map((worker) => worker.printed(`blocked  ${id}  SUCCEEDED`)));
    for (const worker of [first, second]) worker.kill("SIGTERM");
    const printed = (await Promise.all([first.ended, second.ended])).map((end) => end.stdout).join("");
    expect(printed).toContain("event loop");
    expect(printed).not.toContain("goes on here");
    const shown = await place.run(["runs", "show", id, "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ steps: [{ id: "block", attempt: 1, output: 3_000 }, { attempt: 1 }] });
  });

  test("at SIGTERM it lets its attempt end, hands the run back and ends with 0; nothing is done twice", async () => {
    await using door = await gate();
    using place = await workspaceOn("drained", door);
    const first = await startWorker(place);
    const id = await leaveRun(place);
    await door.request(1);
    const second = await startWorker(place, "--json");
    first.kill("SIGTERM");
    await first.printed("Stopping: running attempts may end within 10.0 s");
    door.open();
    const { exitCode, stdout, stderr } = await first.ended;
    expect([exitCode, stderr]).toStrictEqual([0, ""]);
    expect(stdout).toMatch(/^Worker \S+ is ready: postgres:\/\/\w+:\*\*\*@.+\?schema=drained, epoch 1$/m);
    await second.printed('"run.ended"');
    second.kill("SIGINT");
    const events = (await second.ended).stdout.trim().split("\n");
    const told = events.map((line) => event.parse(JSON.parse(line)));
    expect(told.map(({ type }) => type)).toStrictEqual([
      "worker.ready",
      "run.resumed",
      "step.started",
      "step.settled",
      "run.ended",
      "worker.stopping",
      "worker.stopped",
    ]);
    expect(told[1]?.run).toStrictEqual({ id, workflow: "held", version: null, tenant: "default" });
    expect(door.arrived()).toBe(1);
  });

  test("a second signal ends it at once", async () => {
    await using door = await gate();
    using place = await workspaceOn("twice", door);
    const worker = await startWorker(place);
    await leaveRun(place);
    await door.request(1);
    worker.kill("SIGTERM");
    await worker.printed("Stopping: ");
    worker.kill("SIGTERM");
    expect((await worker.ended).exitCode).toBe(143);
  });

  test("P5 it begins anew when its lease is lost", async () => {
    await using door = await gate();
    using place = await workspaceOn("fenced", door);
    const worker = await startWorker(place, "--lease", "1s");
    await query(await database(), "UPDATE fenced.worker SET fenced_at = 1");
    await worker.printed("the engine gives up: LEDGER_FENCED: The lease of this worker on postgres://");
    await worker.printed("the engine began anew, epoch 2");
    const id = await leaveRun(place);
    await door.request(1);
    door.open();
    await worker.printed(`held  ${id}  SUCCEEDED`);
    worker.kill("SIGTERM");
    expect((await worker.ended).exitCode).toBe(0);
  });

  test("a run that another engine gave up for the want of an operator goes on where there is one", async () => {
    await using door = await gate();
    using place = await workspaceOn("wanting", door);
    const without = place.start(["worker"]);
    await without.printed(" is ready: ");
    const id = await leaveRun(place);
    await without.printed(`held  ${id}  suspended: `);
    const worker = await startWorker(place);
    await door.request(1);
    door.open();
    await worker.printed(`held  ${id}  SUCCEEDED`);
    for (const each of [without, worker]) each.kill("SIGTERM");
    expect((await Promise.all([without.ended, worker.ended])).map(({ exitCode }) => exitCode)).toStrictEqual([0, 0]);
  });
});
