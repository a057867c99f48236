import { describe, expect, test } from "vitest";
import { Workspace } from "../../test/fixtures/cli-process.ts";
import { firstTask, newestRun, startWaiting } from "../../test/fixtures/waiting-run.ts";

const AS_ANA = ["--as", "ana", "--form", '{"amount":3}'] as const;

describe("while an engine owns the ledger", () => {
  test("a person lists, shows and approves what a run asks for, and it goes on", async () => {
    using place = new Workspace();
    const engine = await startWaiting(place);
    const list = await place.run(["tasks", "list", "--as", "bob", "--group", "finance"]);
    expect(list.stdout).toMatch(/^[0-9a-f-]{36} {2}READY {3}Refund of 1,299 € {2}ana, group finance +review +\d{4}-/m);
    const id = await firstTask(place, "--as", "ana");
    expect((await place.run(["tasks", "list", "--as", "bob"])).stdout).not.toContain("Refund");
    const shown = (await place.run(["tasks", "show", id])).stdout;
    expect(shown).toMatch(/^Refund of 1,299 €\nThe customer has written twice\.\n/);
    expect(shown).toMatch(/^amount {2}number +required {2}What is paid back$/m);
    expect(shown).toContain(`stepwell tasks approve ${id} --as NAME --group finance --form JSON`);
    const approved = await place.run(["tasks", "approve", id, ...AS_ANA, "--comment", "known"]);
    expect(approved).toMatchObject({ exitCode: 0, stderr: "" });
    expect(approved.stdout).toMatch(/^Approved "Refund of 1,299 €" as ana; the engine \(process \d+ on .*\) goes on with step review/);
    await engine.printed("review   succeeded");
    expect(JSON.parse((await place.run(["tasks", "show", id, "--json"])).stdout)).toMatchObject({
      status: "DONE",
      decidedBy: "ana",
      decision: { approved: true, comment: "known", form: { amount: 3 } },
    });
    engine.kill("SIGKILL");
  });

  test("a signal and an event go to who waits for them, a work item is completed by hand", async () => {
    using place = new Workspace();
    const engine = await startWaiting(place);
    const run = await newestRun(place);
    const signal = ["signal", run.slice(0, 20), "paid", "--payload", '{"amount":5}', "--id", "r-1"];
    expect((await place.run(signal)).stdout).toContain("goes on with step paid, which waits for it");
    await engine.printed("paid     succeeded");
    expect((await place.run(signal)).stdout).toContain("no step waits for it yet, so it is kept");
    const event = ["events", "publish", "parcel.shipped", "--id", "e-1", "--data"];
    expect((await place.run([...event, '{"orderId":"B-1"}', "--retain", "2h"])).stdout).toContain(
      "nobody waits for it, so it is kept for 2 h",
    );
    expect((await place.run([...event, '{"orderId":"A-7"}'])).stdout).toContain("it was published before under this id");
    place.write("event.json", '{"orderId":"A-7"}');
    const published = await place.run(["events", "publish", "parcel.shipped", "--data", "@event.json", "--json"]);
    expect(JSON.parse(published.stdout)).toEqual({ delivered: 1, kept: false, duplicate: false });
    await engine.printed("shipped  succeeded");
    const work = await firstTask(place, "--topic", "packing");
    const forged = await place.run(["tasks", "complete", work, "--token", "forged", "--result", "1"]);
    expect([forged.exitCode, forged.stderr]).toStrictEqual([1, expect.stringContaining("stepwell: TASK_LEASE_LOST: ")]);
    const done = await place.run(["tasks", "complete", work, "--result", '{"parcel":"P-1"}']);
    expect(done.stdout).toMatch(/^Completed the packing work .* goes on with step pack/);
    await engine.printed("pack     succeeded");
    engine.kill("SIGKILL");
  });

  test("a run is paused, resumed and cancelled by whom it says", async () => {
    using place = new Workspace();
    const engine = await startWaiting(place);
    const run = await newestRun(place);
    const pause = await place.run(["runs", "pause", run, "--as", "ana"]);
    expect(pause.stdout).toMatch(/^The pause of .* is accepted; the engine \(process \d+ on .*\) holds the run/);
    await engine.ended;
    expect((await place.run(["runs", "list", "--status", "SUSPENDED"])).stdout).toContain("SUSPENDED (paused)");
    expect((await place.run(["runs", "resume", run])).stdout).toContain("no engine is at work on this ledger");
    expect((await place.run(["runs", "cancel", run, "--as", "bob"])).exitCode).toBe(0);
    expect((await place.run(["run", "waiting.yaml", "--resume"])).exitCode).toBe(3);
    expect((await place.run(["runs", "show", run])).stdout).toMatch(/run\.cancel\S* .*by bob/);
  });
});

describe("while no engine does", () => {
  test("decisions, signals and events are accepted and take effect with the next engine", async () => {
    using place = new Workspace();
    const engine = await startWaiting(place);
    engine.kill("SIGKILL");
    await engine.ended;
    const run = await newestRun(place);
    const approved = await place.run(["tasks", "approve", await firstTask(place, "--run", run), ...AS_ANA]);
    expect(approved.stdout).toContain("no engine is at work on this ledger, so it takes effect when one is");
    expect((await place.run(["signal", run, "paid"])).exitCode).toBe(0);
    const next = place.start(["run", "waiting.yaml", "--resume"]);
    await Promise.all([next.printed("review   succeeded"), next.printed("paid     succeeded"), next.printed("late     succeeded")]);
    const late = await firstTask(place, "--status", "EXPIRED");
    const answer = await place.run(["tasks", "approve", late, "--as", "ana"]);
    expect([answer.exitCode, answer.stderr]).toStrictEqual([1, expect.stringContaining("stepwell: TASK_EXPIRED: ")]);
    next.kill("SIGKILL");
  });
});

describe("bad input ends with one coded line and changes nothing", () => {
  test("a decision by the wrong person, with a wrong form, twice; a task or run that is not there", async () => {
    using place = new Workspace();
    const engine = await startWaiting(place);
    const [id, run] = [await firstTask(place, "--as", "ana"), await newestRun(place)];
    const work = await firstTask(place, "--topic", "packing");
    const refused = async (args: readonly string[]): Promise<readonly [number | null, string | undefined]> => {
      const { exitCode, stdout, stderr } = await place.run(args);
      expect([stdout, stderr]).toStrictEqual(["", expect.not.stringMatching(/^ {4}at /m)]);
      return [exitCode, /^stepwell: ([A-Z_]+): .+\n/.exec(stderr)?.[1]];
    };
    expect(await refused(["tasks", "approve", id, "--as", "bob", "--group", "sales"])).toStrictEqual([1, "TASK_FORBIDDEN"]);
    expect(await refused(["tasks", "approve", id, "--as", "ana"])).toStrictEqual([2, "TASK_FORM_INVALID"]);
    expect(await refused(["tasks", "approve", id, "--as", "ana", "--form", "{"])).toStrictEqual([2, "USAGE"]);
    expect(await refused(["tasks", "approve", id])).toStrictEqual([2, "USAGE"]);
    expect(await refused(["tasks", "approve", work, "--as", "ana"])).toStrictEqual([1, "TASK_NOT_FOUND"]);
    expect(await refused(["tasks", "restore", work])).toStrictEqual([1, "TASK_CLOSED"]);
    expect((await place.run(["tasks", "reject", id, "--as", "bob", "--group", "finance"])).exitCode).toBe(0);
    expect(await refused(["tasks", "approve", id, ...AS_ANA])).toStrictEqual([1, "TASK_CLOSED"]);
    expect(await refused(["tasks", "approve", "ffff", "--as", "ana"])).toStrictEqual([1, "TASK_NOT_FOUND"]);
    expect(await refused(["tasks", "show", run.slice(0, 2)])).toStrictEqual([2, "USAGE"]);
    expect(await refused(["signal", "ffff", "paid"])).toStrictEqual([1, "RUN_NOT_FOUND"]);
    expect(await refused(["events", "publish", "x", "--retain", "soon"])).toStrictEqual([2, "DURATION_INVALID"]);
    expect(await refused(["runs", "retry", run])).toStrictEqual([1, "RUN_NOT_FAILED"]);
    await place.run(["runs", "cancel", run]);
    expect((await engine.ended).exitCode).toBe(3);
    expect(await refused(["signal", run, "paid"])).toStrictEqual([1, "RUN_FINISHED"]);
    expect(await refused(["tasks", "complete", work])).toStrictEqual([1, "TASK_CLOSED"]);
  });
});

test("runs show says what waits, counts items, bounds what is inside, and shows what was undone", async () => {
  using place = new Workspace({
    "shown.yaml": `
name: shown
steps:
  - { id: book, uses: transform, with: 1, compensate: { uses: log, with: { message: cancelled } } }
  - id: lines
    foreach: [1, 2, 3, 4, 5]
    tolerate: 1
    steps: [{ id: price, uses: transform, with: "{{ item = 4 ? $error('no price') : item }}" }]
  - { id: polls, loop: { while: round < 3, maxIterations: 9 }, steps: [{ id: look, uses: transform, with: 1 }] }
  - { id: go, uses: wait, with: { signal: go, timeout: 2d } }
  - { id: fail, uses: transform, with: "{{ steps.go.output.nothing }}" }
`,
  });
  expect((await place.run(["run", "shown.yaml"])).exitCode).toBe(4);
  const run = await newestRun(place);
  const waiting = await place.run(["runs", "show", run]);
  expect(waiting.stdout).toMatch(/^☞ {2}go +wait +.* for signal go until \d{4}-\d\d-\d\d \d\d:\d\d, in (?:2 d|1 d 2\d h)$/m);
  expect(waiting.stdout).toMatch(/^✓ {2}lines +foreach +.* 5\/5, 1 failed/m);
  expect(waiting.stdout).toMatch(/^✓ {2}polls +loop +.* 3 rounds$/m);
  expect([...waiting.stdout.matchAll(/^. {2}(lines\[\d\]\.price) /gm)].map(([, id]) => id)).toStrictEqual([
    "lines[0].price",
    "lines[3].price",
  ]);
  expect(waiting.stdout).toMatch(/^… and \d+ entries on items and rounds; --json has all$/m);
  expect(JSON.parse((await place.run(["runs", "show", run, "--json"])).stdout)).toMatchObject({
    waits: [{ step: "go", waitsFor: { kind: "signal", name: "go" } }],
  });
  await place.run(["signal", run, "go"]);
  expect((await place.run(["run", "shown.yaml", "--resume"])).exitCode).toBe(1);
  expect((await place.run(["runs", "show", run])).stdout).toMatch(/^✓ {2}compensate\.book +log /m);
});
