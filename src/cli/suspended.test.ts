import { describe, expect, test } from "vitest";
import { Workspace } from "../../test/fixtures/cli-process.ts";
import { firstTask, newestRun } from "../../test/fixtures/waiting-run.ts";

const MANY = `
name: many
onFailure: isolate
steps:
  review: { uses: approval, with: { title: Refund, groups: [finance], expires: 2d } }
  paid: { uses: wait, with: { signal: paid } }
  pack: { uses: task, with: { topic: packing } }
  shipped: { uses: wait, with: { event: parcel.shipped, where: { orderId: A-7 } } }
  lines: { foreach: [1, 2], steps: [{ id: ask, uses: wait, with: { signal: "line{{ item }}" } }] }
  kid: { uses: workflow, with: { name: kid } }
  after: { uses: transform, needs: [review, paid], with: 1 }
`;
const KID = "name: kid\nsteps: [{ id: open, uses: wait, with: { signal: open } }]\n";

describe("stepwell run", () => {
  test("ends with 4 when only others can resume the run, and names the command for each waiting step", async () => {
    using place = new Workspace({ "many.yaml": MANY, "kid.yaml": KID });
    expect((await place.run(["run", "kid.yaml"])).exitCode).toBe(4);
    const { exitCode, stdout, stderr } = await place.run(["run", "many.yaml", "--json"]);
    const run = await newestRun(place, "--workflow", "many");
    expect([exitCode, JSON.parse(stdout)]).toStrictEqual([4, expect.objectContaining({ id: run, status: "SUSPENDED", reason: "task" })]);
    const task = await firstTask(place, "--as", "x", "--group", "finance");
    for (const command of [
      `stepwell tasks approve ${task} --as NAME --group finance`,
      `stepwell signal ${run} paid`,
      'stepwell events publish parcel.shipped --data \'{"orderId":"A-7"}\'',
      `stepwell signal ${run} line1`,
      `stepwell signal ${run} line2`,
    ])
      expect(stderr).toContain(`\n    ${command}\n`);
    expect(stderr).toMatch(/^The run waits for somebody outside:\n {2}review waits until group finance decides on "Refund" /m);
    expect(stderr).toMatch(/\n {2}open waits for signal "open"\n {4}stepwell signal [0-9a-f-]{36} open\n/);
    expect(stderr).toMatch(/\nThen go on with:\n {2}npx node .*bin\.ts run many\.yaml --json --resume\n$/);
  });

  test("waits through timers, retries and deadlines that are near", async () => {
    using place = new Workspace({
      "naps.yaml": `
name: naps
steps:
  - { id: nap, uses: sleep, with: { for: 100ms } }
  - { id: late, uses: wait, with: { signal: never, timeout: 100ms, onTimeout: continue } }
  - { id: rounds, loop: { while: round < 2, maxIterations: 3, delay: 50ms }, steps: [{ uses: transform, with: 1 }] }
output: "{{ steps.late.output }}"
`,
    });
    const { exitCode, stdout } = await place.run(["run", "naps.yaml", "--json"]);
    expect([exitCode, JSON.parse(stdout)]).toStrictEqual([0, expect.objectContaining({ status: "SUCCEEDED", output: { timedOut: true } })]);
  });

  test("ends with 4 for a paused run, and again when it is resumed and still waits", async () => {
    using place = new Workspace({ "kid.yaml": KID });
    await place.run(["run", "kid.yaml"]);
    const run = await newestRun(place);
    const again = await place.run(["run", "kid.yaml", "--resume"]);
    expect([again.exitCode, again.stderr]).toStrictEqual([4, expect.stringContaining(`stepwell signal ${run} open`)]);
    await place.run(["signal", run, "open", "--payload", '"sesame"']);
    expect((await place.run(["run", "kid.yaml", "--resume"])).exitCode).toBe(0);
  });

  test("says that a run in memory is gone", async () => {
    using place = new Workspace({ "kid.yaml": KID });
    const { exitCode, stderr } = await place.run(["run", "kid.yaml", "--ledger", "memory:"]);
    expect([exitCode, stderr]).toStrictEqual([4, expect.stringContaining("the ledger was in memory, so the run is gone")]);
  });
});

describe("stepwell explain", () => {
  test("says what each unfinished step waits for, and what became of a run that has ended", async () => {
    using place = new Workspace({ "many.yaml": MANY, "kid.yaml": KID });
    await place.run(["run", "kid.yaml"]);
    await place.run(["run", "many.yaml"]);
    const run = await newestRun(place, "--workflow", "many");
    const { stdout, exitCode } = await place.run(["explain", run.slice(0, 20)]);
    expect([exitCode, stdout.split("\n").slice(0, 2)]).toStrictEqual([
      0,
      [`many  ${run}`, "Suspended: a step waits for a person or a remote worker"],
    ]);
    expect(stdout).toMatch(/^shipped +waits for event "parcel\.shipped" with orderId = "A-7"$/m);
    expect(stdout).toMatch(/^lines +waits for its items: 0 of 2 done, 2 open$/m);
    expect(stdout).toMatch(/^lines\[1\]\.ask +waits for signal "line2"$/m);
    expect(stdout).toMatch(/^after +waits for review and paid$/m);
    expect(stdout).toMatch(/\n\nNo engine is at work on this ledger; nothing goes on before one is\n$/);
    const json = await place.run(["explain", run, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      id: run,
      steps: [{ step: "review", waitsFor: { kind: "task", groups: ["finance"] } }, {}, {}, {}, {}, {}, {}, {}, {}],
      more: 0,
    });
    await place.run(["runs", "cancel", run, "--as", "ana"]);
    expect((await place.run(["run", "many.yaml", "--resume"])).exitCode).toBe(3);
    expect((await place.run(["explain", run])).stdout).toMatch(/^Ended CANCELLED at .*: somebody cancelled the run$/m);
    expect((await place.run(["explain", "ffff"])).stderr).toContain("stepwell: RUN_NOT_FOUND: ");
  });
});
