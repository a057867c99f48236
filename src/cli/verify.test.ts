import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { Workspace } from "../../test/fixtures/cli-process.ts";
import { newestRun, startWaiting } from "../../test/fixtures/waiting-run.ts";

test("doctor verify says of each check whether it holds, beside an engine at work, and ends with 1 when one does not", async () => {
  using place = new Workspace();
  const engine = await startWaiting(place);
  const run = await newestRun(place);
  const sound = await place.run(["doctor", "verify"]);
  expect([sound.exitCode, sound.stderr]).toStrictEqual([0, ""]);
  expect(sound.stdout).toMatch(/^ok {2}I2 {2}run-next +Every unfinished run is in the queue, /m);
  expect(sound.stdout).toMatch(/^Unfinished runs +SUSPENDED 1$/m);
  expect(sound.stdout).toMatch(/ledger\.db: \d+ checks, all hold\n$/);
  engine.kill("SIGKILL");
  await engine.ended;
  const db = new DatabaseSync(join(place.folder, ".stepwell", "ledger.db"));
  db.exec("DELETE FROM subscription; UPDATE run SET input = '[7]'");
  db.close();
  const broken = await place.run(["doctor", "verify"]);
  expect([broken.exitCode, broken.stderr]).toStrictEqual([1, ""]);
  expect(broken.stdout).toMatch(/^FAILED {2}I5 {2}wait-event +A step that waits for events .*: 1 exception$/m);
  expect(broken.stdout).toContain(`        ${run}  shipped waits for an event to which it is not subscribed\n`);
  expect(broken.stdout).toMatch(/: 2 of \d+ checks failed\n$/);
  const { exitCode, stdout } = await place.run(["doctor", "verify", "--json", "--ledger", ".stepwell/ledger.db"]);
  expect(exitCode).toBe(1);
  const { ok, checks } = JSON.parse(stdout);
  expect(ok).toBe(false);
  expect(checks).toContainEqual({
    id: "payloads",
    invariant: "I7",
    holds: "Every payload is what was written",
    ok: false,
    count: 1,
    first: [{ run, found: "input of run 1 is not what was written" }],
  });
});

test("doctor verify ends with 2 when there is nothing that it could look at", async () => {
  using place = new Workspace();
  const calls = [["--ledger", "none.db"], ["--ledger", "memory:"], ["--ledger", "postgres://me@127.0.0.1:1/base"], ["--nothing"]];
  const ended = await Promise.all(calls.map((flags) => place.run(["doctor", "verify", ...flags])));
  expect(ended.map(({ exitCode, stdout }) => [exitCode, stdout])).toStrictEqual(calls.map(() => [2, ""]));
  expect(ended.map(({ stderr }) => /^stepwell: (\w+): /.exec(stderr)?.[1])).toStrictEqual([
    "LEDGER_UNAVAILABLE",
    "USAGE",
    "LEDGER_UNREACHABLE",
    "USAGE",
  ]);
});
