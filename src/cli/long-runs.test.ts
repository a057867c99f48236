import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Workspace } from "../../test/fixtures/cli-process.ts";
import { type Gate, gate } from "../../test/fixtures/gate.ts";

const listed = z.object({ runs: z.array(z.object({ id: z.string(), workflow: z.string(), status: z.string() })) });

/** A run that is held in its second step until the gate opens. */
function held(at: Gate, name = "held"): string {
  return `
name: ${name}
steps:
  before: { uses: transform, with: { done: true } }
  hold: { uses: http, needs: [before], with: { url: "${at.url}" }, timeout: 60s, output: { done: true } }
  after: { uses: transform, needs: [hold], with: { done: true } }
output: "{{ steps.after.output }}"
`;
}

async function runIds(place: Workspace): Promise<readonly string[]> {
  return listed.parse(JSON.parse((await place.run(["runs", "list", "--json"])).stdout)).runs.map(({ id }) => id);
}

describe("while a run is under way", () => {
  test("S0-3 S0-34 it is durable at once, and another process lists and shows it", async () => {
    await using door = await gate();
    using place = new Workspace({ "held.yaml": held(door) });
    const running = place.start(["run", "held.yaml"]);
    await door.request(1);
    const list = await place.run(["runs", "list"]);
    expect(list.stdout).toMatch(/^[0-9a-f-]{36} {2}RUNNING {2,}held /m);
    const [id = ""] = await runIds(place);
    const shown = await place.run(["runs", "show", id.slice(0, 20), "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      id,
      status: "RUNNING",
      initiator: "cli",
      input: {},
      steps: [
        { id: "before", status: "SUCCEEDED" },
        { id: "hold", status: "RUNNING", finishedAt: null },
        { id: "after", status: "PENDING", startedAt: null },
      ],
    });
    expect((await place.run(["doctor"])).stdout).toMatch(/^ok {2}Engine +\S+, process \d+ on /m);
    door.open();
    expect((await running.ended).exitCode).toBe(0);
  });

  test("a second engine is refused: LEDGER_OWNED", async () => {
    await using door = await gate();
    using place = new Workspace({ "held.yaml": held(door) });
    const running = place.start(["run", "held.yaml"]);
    await door.request(1);
    const second = await place.run(["run", "held.yaml"]);
    expect([second.exitCode, second.stdout]).toStrictEqual([1, ""]);
    expect(second.stderr).toMatch(/^stepwell: LEDGER_OWNED: .*\n {2}hint: /);
    door.open();
    expect((await running.ended).exitCode).toBe(0);
  });

  test("another process cancels it: exit code 3", async () => {
    await using door = await gate();
    using place = new Workspace({ "held.yaml": held(door) });
    const running = place.start(["run", "held.yaml"]);
    await door.request(1);
    const [id = ""] = await runIds(place);
    const cancel = await place.run(["runs", "cancel", id]);
    expect(cancel).toMatchObject({ exitCode: 0, stderr: "" });
    expect(cancel.stdout).toMatch(/is accepted; the engine \(process \d+ on .*\) ends the run/);
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^CANCELLED in .*: somebody cancelled the run/m);
    const again = await place.run(["runs", "cancel", id]);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain("stepwell: RUN_FINISHED: ");
  });
});

describe("Ctrl-C", () => {
  test("stops cleanly and says how to go on; the same run then goes on where it was", async () => {
    await using door = await gate();
    using place = new Workspace({ "held one.yaml": held(door) });
    const first = place.start(["run", "held one.yaml", "--input", '{"size": 1}']);
    await door.request(1);
    first.kill("SIGINT");
    await first.printed("Stopping: running steps may end");
    door.open();
    const stopped = await first.ended;
    expect(stopped.exitCode).toBe(130);
    expect(stopped.stdout).toContain("SUSPENDED: its engine stopped");
    expect(stopped.stderr).toMatch(
      /^Stopped with 2 of 3 done; what is done stays done\. Go on with:\n {2}npx node .*bin\.ts run 'held one\.yaml' --resume$/m,
    );
    const second = await place.run(["run", "held one.yaml", "--resume"]);
    expect(second.exitCode).toBe(0);
    expect(second.stdout).toMatch(/Going on with run [0-9a-f-]{36} at /);
    expect(second.stdout).not.toContain("hold    started");
    expect(second.stdout).toContain("after   started");
    expect(await runIds(place)).toHaveLength(1);
    expect(door.arrived()).toBe(1);
  });

  test("ends at once when it comes twice", async () => {
    await using door = await gate();
    using place = new Workspace({ "held.yaml": held(door) });
    const running = place.start(["run", "held.yaml"]);
    await door.request(1);
    running.kill("SIGINT");
    await running.printed("Stopping: ");
    running.kill("SIGINT");
    expect((await running.ended).signal).toBe("SIGINT");
  });

  test("--json still prints the run", async () => {
    await using door = await gate();
    using place = new Workspace({ "held.yaml": held(door) });
    const running = place.start(["run", "held.yaml", "--json"]);
    await door.request(1);
    running.kill("SIGTERM");
    await running.printed("Stopping: ");
    door.open();
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(143);
    expect(JSON.parse(stdout)).toMatchObject({ status: "SUSPENDED", reason: "shutdown" });
  });
});

describe("after a kill", () => {
  test("--resume goes on, other unfinished runs go on as well, and a finished run is not taken up again", async () => {
    await using door = await gate();
    using place = new Workspace({ "held.yaml": held(door), "other.yaml": held(door, "other") });
    const other = place.start(["run", "other.yaml"]);
    await door.request(1);
    other.kill("SIGKILL");
    await other.ended;
    const first = place.start(["run", "held.yaml"]);
    await first.printed("This ledger has 1 other unfinished run; while this command runs, it goes on as well");
    await door.request(3);
    first.kill("SIGKILL");
    expect((await first.ended).signal).toBe("SIGKILL");
    door.open();
    expect((await place.run(["run", "held.yaml", "--resume"])).exitCode).toBe(0);
    expect(await runIds(place)).toHaveLength(2);
    expect((await place.run(["run", "held.yaml", "--resume"])).stdout).not.toContain("Going on");
    expect(await runIds(place)).toHaveLength(3);
  });

  test("a cancel without an engine is accepted and takes effect with the next one", async () => {
    await using door = await gate();
    using place = new Workspace({ "held.yaml": held(door) });
    const first = place.start(["run", "held.yaml"]);
    await door.request(1);
    first.kill("SIGKILL");
    await first.ended;
    const [id = ""] = await runIds(place);
    expect((await place.run(["runs", "cancel", id])).stdout).toContain("no engine is at work on this ledger");
    expect((await place.run(["run", "held.yaml", "--resume"])).exitCode).toBe(3);
  });

  test("a run whose operator is gone is suspended until somebody acts: exit code 4", async () => {
    await using door = await gate();
    const definition = (operator: string): string => held(door).replace("uses: transform, needs", `uses: ${operator}, needs`);
    using place = new Workspace({ "held.yaml": definition("ship"), "operators.mjs": "export const ship = () => ({ done: true });" });
    const first = place.start(["run", "held.yaml", "--operators", "operators.mjs"]);
    await door.request(1);
    first.kill("SIGKILL");
    await first.ended;
    door.open();
    place.write("held.yaml", definition("deliver"));
    place.write("operators.mjs", "export const deliver = () => ({ done: true });");
    const { exitCode, stdout, stderr } = await place.run(["run", "held.yaml", "--operators", "operators.mjs", "--resume"]);
    expect(exitCode).toBe(4);
    expect(stdout).toContain("The file has changed since; the run keeps the definition that it started with");
    expect(stdout).toMatch(/^· {2}after +ship$/m);
    expect(stderr).toContain(
      'after waits for a worker that knows operator "ship"\n    export the operator "ship" from the module of --operators\n',
    );
  });
});

test("--key makes two commands one run", async () => {
  await using door = await gate();
  using place = new Workspace({ "held.yaml": held(door) });
  door.open();
  const first = await place.run(["run", "held.yaml", "--key", "one"]);
  const second = await place.run(["run", "held.yaml", "--key", "one"]);
  expect([first.exitCode, second.exitCode]).toStrictEqual([0, 0]);
  expect(second.stdout).toMatch(/The key "one" started run [0-9a-f-]{36} at .*; it has ended SUCCEEDED/);
  expect(door.arrived()).toBe(1);
  const other = await place.run(["run", "held.yaml", "--key", "one", "--input", '{"other":true}']);
  expect(other.exitCode).toBe(2);
  expect(other.stderr).toContain("IDEMPOTENCY_KEY_REUSED");
});

test("runs list filters and limits, and says so when a ledger is missing", async () => {
  await using door = await gate();
  door.open();
  using place = new Workspace({ "held.yaml": held(door), "other.yaml": held(door, "other") });
  const missing = await place.run(["runs", "list"]);
  expect(missing.exitCode).toBe(1);
  expect(missing.stderr).toContain("LEDGER_UNAVAILABLE: There is no ledger at sqlite:.stepwell/ledger.db");
  expect((await place.run(["doctor"])).stdout).toContain("does not exist yet; the first run makes it");
  const ledger = ["--ledger", join(place.folder, "here.db")];
  for (const file of ["held.yaml", "other.yaml", "held.yaml"]) {
    expect(await place.run(["run", file, ...ledger])).toMatchObject({ exitCode: 0, stderr: "" });
  }
  const count = async (args: readonly string[]): Promise<number> =>
    listed.parse(JSON.parse((await place.run(["runs", "list", ...ledger, "--json", ...args])).stdout)).runs.length;
  expect(await count([])).toBe(3);
  expect(await count(["--workflow", "other"])).toBe(1);
  expect(await count(["--status", "FAILED"])).toBe(0);
  expect(await count(["--limit", "2"])).toBe(2);
  expect((await place.run(["runs", "list", ...ledger, "--limit", "2"])).stdout).toContain("older runs are not shown");
});

test("runs show tells attempts and history, and asks for more when a prefix fits several", async () => {
  using place = new Workspace({
    "once.yaml": "name: flaky\nsteps:\n  flaky: { uses: flaky, retry: { strategy: fixed, maxAttempts: 2, initialDelay: 1ms } }\n",
    "operators.mjs": "export const flaky = (_, { attempt }) => { if (attempt === 1) throw new Error('not yet'); return 1; };",
  });
  const run = ["run", "once.yaml", "--operators", "operators.mjs"];
  expect((await place.run(run)).stdout).toMatch(
    /flaky {2}attempt 1 failed, next in 1 ms: STEP_FAILED: not yet\n.*flaky {2}started, attempt 2/,
  );
  await place.run(run);
  const [id = ""] = await runIds(place);
  const { stdout } = await place.run(["runs", "show", id]);
  expect(stdout).toMatch(/Earlier attempts\n\S+ {2}flaky {2}attempt 1 {2}FAILED {2}STEP_FAILED: not yet/);
  expect(stdout).toMatch(/History\n\S+ {2}run\.created +by cli\n/);
  const several = await place.run(["runs", "show", id.slice(0, 4)]);
  expect(several.exitCode).toBe(2);
  expect(several.stderr).toContain("stepwell: USAGE: Several runs begin with");
  expect((await place.run(["runs", "show", "ffff"])).stderr).toContain("stepwell: RUN_NOT_FOUND: There is no run ffff");
});

test("doctor ends with 1 over a damaged ledger", async () => {
  using place = new Workspace({ "broken.db": "this is no database, however long it may be ".repeat(200) });
  const { exitCode, stdout } = await place.run(["doctor", "--ledger", "broken.db"]);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^WRONG {2}Ledger +LEDGER_CORRUPT: /m);
});
