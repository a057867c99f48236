import { describe, expect, test } from "vitest";
import { Workspace } from "../../../test/fixtures/cli-process.ts";

const SECRET = "hunter2";

describe.each(["worker", "server"])("the configuration of a %s", (command) => {
  test("S2-35 S3+14 is checked before anything starts: all that is wrong is said at once, and there is no default ledger", async () => {
    using place = new Workspace({ "stepwell.yaml": "concurrency: many\nlease: soon\nretries: 3\n" });
    const { exitCode, stdout, stderr } = await place.start([command], { STEPWELL_GRACE: "-1", STEPWELL_LAESE: "5s" }).ended;
    expect([exitCode, stdout]).toStrictEqual([2, ""]);
    expect(stderr).toBe(
      [
        'stepwell.yaml:1:14: error CONFIG_INVALID: "many" is not a whole number from 1 to 100000',
        'stepwell.yaml:2:8: error CONFIG_INVALID: "soon" is not a duration',
        "  hint: Write a number with a unit (200ms, 5s, 10m, 2h, 3d), ISO 8601 (PT5M), or plain milliseconds; up to 100 years.",
        'stepwell.yaml:3:1: error CONFIG_UNKNOWN: "retries" is no setting',
        "  hint: There is `ledger`, `queue`, `operators`, `groups`, `concurrency`, `lease`, `grace`, `retention`, `archive`, `healthPort`, `healthHost`, `port`, `host`, `work`.",
        'STEPWELL_GRACE: error CONFIG_INVALID: "-1" is not a duration',
        "  hint: Write a number with a unit (200ms, 5s, 10m, 2h, 3d), ISO 8601 (PT5M), or plain milliseconds; up to 100 years.",
        "error CONFIG_MISSING: No ledger is named, and there is no default",
        "  hint: Pass --ledger <url>, set STEPWELL_LEDGER or STEPWELL_DATABASE_URL, or write ledger: into stepwell.yaml.",
        "STEPWELL_LAESE: warning CONFIG_VARIABLE_UNKNOWN: No setting is read from this variable",
        "  hint: Did you mean `STEPWELL_LEASE`?",
        `stepwell: USAGE: The configuration has 5 errors and 1 warning; no ${command} was started`,
        "",
      ].join("\n"),
    );
  });

  test("is shown with where each setting was said, without secrets, and nothing starts", async () => {
    using place = new Workspace({ "mine.yaml": "grace: 90s\n" });
    const environment = { STEPWELL_DATABASE_URL: `postgres://me:${SECRET}@127.0.0.1:1/base?sslpassword=${SECRET}` };
    const flags = [command, "--config", "mine.yaml", "--concurrency", "7", "--show-config"];
    const text = await place.start(flags, environment).ended;
    expect([text.exitCode, text.stderr]).toStrictEqual([0, ""]);
    expect(text.stdout).toMatch(/^SETTING +VALUE +SAID BY$/m);
    expect(text.stdout).toMatch(/^ledger +postgres:\/\/me:\*\*\*@127\.0\.0\.1:1\/base\?sslpassword=\*\*\* +STEPWELL_DATABASE_URL$/m);
    expect(text.stdout).toMatch(/^grace +90s +mine\.yaml:1:8$/m);
    expect(text.stdout).toMatch(/^concurrency +7 +--concurrency$/m);
    expect(text.stdout).toMatch(/^lease +10s +default$/m);
    expect(text.stdout).toMatch(/^operators +the built-in operators alone +default$/m);
    const json = await place.start([...flags, "--json"], environment).ended;
    expect(JSON.parse(json.stdout)).toMatchObject({
      file: "mine.yaml",
      settings: {
        ledger: { source: { kind: "environment", name: "STEPWELL_DATABASE_URL" } },
        operators: { value: null, source: { kind: "default" } },
        grace: { value: "90s", source: { kind: "file", name: "mine.yaml", position: { line: 1, column: 8 } } },
      },
    });
    expect(text.stdout + json.stdout).not.toContain(SECRET);
  });
});

test("a flag that denies counts before the environment, and its absence does not", async () => {
  using place = new Workspace({}, { STEPWELL_LEDGER: "runs.db", STEPWELL_WORK: "true" });
  const shown = async (...flags: readonly string[]): Promise<string> => (await place.run(["server", "--show-config", ...flags])).stdout;
  expect(await shown()).toMatch(/^work +true +STEPWELL_WORK$/m);
  expect(await shown("--no-work")).toMatch(/^work +false +--no-work$/m);
});
