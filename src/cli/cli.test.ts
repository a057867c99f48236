import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Workspace } from "../../test/fixtures/cli-process.ts";
import { VERSION } from "../main/version.ts";

const GREETING = `
name: greeting
input: { type: object, required: [who], properties: { who: { type: string } } }
steps:
  greet: { uses: transform, with: { text: "Hello \${user.title} {{ input.who }}" } }
  shout: { uses: upper, with: { text: "{{ steps.greet.output.text }}" } }
  never: { uses: log, when: "{{ input.who = 'nobody' }}", with: { message: nobody } }
output: { said: "{{ steps.shout.output }}" }
`;
const OPERATORS = `
export const upper = ({ text }) => text.toUpperCase();
export const fail = () => { throw new Error("no\\nluck \\u001b[31mtoday"); };
`;
const FAILING = "name: failing\nsteps:\n  broken: { uses: fail }\n  after: { uses: log, needs: [broken], with: { message: x } }\n";
const BROKEN = `
name: broken
steps:
  fetch: { uses: htpp, with: { url: http://127.0.0.1 } }
  next: { uses: log, needs: [fetsh], with: { message: hi } }
  last: { uses: log, wiht: {} }
`;
const SLOW_CALL = "name: polite\nsteps:\n  call: { uses: http, with: { url: http://127.0.0.1/ } }\n";
const OF_GREETING = ["greeting.yaml", "--operators", "operators.mjs", "--var", "title=Dr"] as const;

function workspace(): Workspace {
  return new Workspace({
    "greeting.yaml": GREETING,
    "operators.mjs": OPERATORS,
    "failing.yaml": FAILING,
    "broken.yaml": BROKEN,
    "polite.yaml": SLOW_CALL,
  });
}

const result = z.strictObject({
  id: z.uuid(),
  workflow: z.string(),
  version: z.null(),
  status: z.string(),
  reason: z.string().nullable(),
  output: z.unknown(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  steps: z.array(
    z.strictObject({
      id: z.string(),
      status: z.string(),
      reason: z.string().nullable(),
      attempt: z.number(),
      output: z.unknown(),
      error: z.object({ code: z.string(), message: z.string() }).nullable(),
      startedAt: z.iso.datetime().nullable(),
      finishedAt: z.iso.datetime().nullable(),
    }),
  ),
});

describe("stepwell run", () => {
  test("S0-1 S4-20 takes a definition, puts the --var values in and runs it to its output", async () => {
    using place = workspace();
    const { exitCode, stdout, stderr } = await place.run(["run", ...OF_GREETING, "--input", '{"who":"Ada"}']);
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}greet {2}started$/m);
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}shout {2}succeeded {2}\d+ ms$/m);
    expect(stdout).toMatch(/^✓ {2}shout {2}upper +\d+ ms$/m);
    expect(stdout).toMatch(/^– {2}never {2}log +its `when` was false$/m);
    expect(stdout).toMatch(/^SUCCEEDED in \d+ ms {2}greeting {2}[0-9a-f-]{36}$/m);
    expect(stdout).toContain("said: HELLO DR ADA");
    expect(stdout).not.toContain("\u001b");
  });

  test("S4-29 --json prints the summary of the run and nothing else", async () => {
    using place = workspace();
    const { exitCode, stdout } = await place.run(["run", ...OF_GREETING, "--input", "-", "--json"], '{"who":"Ada"}');
    const run = result.parse(JSON.parse(stdout));
    expect(exitCode).toBe(0);
    expect(run).toMatchObject({ workflow: "greeting", status: "SUCCEEDED", reason: null, output: { said: "HELLO DR ADA" }, error: null });
    expect(run.steps.map(({ id, status, attempt }) => [id, status, attempt])).toStrictEqual([
      ["greet", "SUCCEEDED", 1],
      ["shout", "SUCCEEDED", 1],
      ["never", "SKIPPED", 0],
    ]);
  });

  test("ends with 1 when the run fails, and shows the error without what would move the cursor", async () => {
    using place = workspace();
    const plain = await place.run(["run", "failing.yaml", "--operators", "operators.mjs"]);
    expect(plain.exitCode).toBe(1);
    expect(plain.stdout).toContain("broken  failed");
    expect(plain.stdout).toContain("STEP_FAILED: no luck today");
    expect(plain.stdout).not.toContain("\u001b");
    const json = await place.run(["run", "failing.yaml", "--operators", "operators.mjs", "--json"]);
    expect(json.exitCode).toBe(1);
    expect(result.parse(JSON.parse(json.stdout))).toMatchObject({ status: "FAILED", reason: "step_failed", error: { code: "RUN_FAILED" } });
  });

  test("reads the input from a file, and refuses one that breaks the schema before anything is written", async () => {
    using place = workspace();
    place.write("who.json", '{"who":"Grace"}');
    const wrong = await place.run(["run", ...OF_GREETING, "--input", '{"who":7}']);
    expect([wrong.exitCode, wrong.stdout]).toStrictEqual([2, ""]);
    expect(wrong.stderr).toMatch(/^stepwell: INPUT_INVALID: .*who must be string/);
    expect(existsSync(join(place.folder, ".stepwell"))).toBe(false);
    const right = await place.run(["run", ...OF_GREETING, "--input", "@who.json"]);
    expect(right.stdout).toContain("said: HELLO DR GRACE");
  });

  test("shows every problem of definition and input at once, with place, code and hint, and writes nothing", async () => {
    using place = workspace();
    const { exitCode, stdout, stderr } = await place.run(["run", "broken.yaml", "--input", "{nonsense"]);
    expect([exitCode, stdout]).toStrictEqual([2, ""]);
    expect(stderr).toContain("broken.yaml:4:18: error OPERATOR_UNKNOWN: ");
    expect(stderr).toContain("  hint: Did you mean `http`?\n");
    expect(stderr).toContain("broken.yaml:5:30: error STEP_UNKNOWN: ");
    expect(stderr).toContain("broken.yaml:6:22: error FIELD_UNKNOWN: ");
    expect(stderr).toMatch(/stepwell: DEFINITION_INVALID: broken\.yaml has \d errors; nothing was started/);
    expect(stderr).toContain("stepwell: INPUT_INVALID: The input from --input is not JSON");
    expect(existsSync(join(place.folder, ".stepwell"))).toBe(false);
  });

  test.each([
    [["run", "greeting.yaml", "--frob"], "USAGE: unknown option '--frob'"],
    [["run"], "USAGE: missing required argument 'file'"],
    [["run", "nowhere.yaml"], "FILE_UNREADABLE: The definition nowhere.yaml cannot be read (ENOENT)"],
    [["run", "greeting.yaml", "--operators", "nowhere.mjs"], "FILE_UNREADABLE: The operators file nowhere.mjs cannot be read"],
    [["run", "greeting.yaml", "--operators", "failing.yaml"], "OPERATORS_INVALID: "],
    [["run", "greeting.yaml", "--var", "title"], "USAGE: option '--var <name=value>' argument 'title' is invalid. Write name=value."],
    [["run", "polite.yaml", "--ledger", "redis://here"], 'NOT_SUPPORTED: There is no ledger for "redis:"'],
    [["runs", "list", "--status", "DONE"], "USAGE: option '--status <status>' argument 'DONE' is invalid."],
    [["runs", "list", "--limit", "0"], "USAGE: option '--limit <count>' argument '0' is invalid."],
    [["rnu"], "USAGE: unknown command 'rnu' (Did you mean run?)"],
  ])("answers %j with one coded line and exit code 2", async (args, line) => {
    using place = workspace();
    const { exitCode, stdout, stderr } = await place.run(args);
    expect([exitCode, stdout]).toStrictEqual([2, ""]);
    expect(stderr).toContain(`stepwell: ${line}`);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  test("shows the stack of an error under STEPWELL_DEBUG=1 only", async () => {
    using place = workspace();
    const running = place.start(["run", "nowhere.yaml"], { STEPWELL_DEBUG: "1" });
    expect((await running.ended).stderr).toMatch(/^ {4}at /m);
  });
});

describe("stepwell validate", () => {
  test("lists the problems of all files with a count, and ends with 2", async () => {
    using place = workspace();
    const { exitCode, stdout } = await place.run(["validate", "broken.yaml", ...OF_GREETING]);
    expect(exitCode).toBe(2);
    expect(stdout).toContain("broken.yaml:4:18: error OPERATOR_UNKNOWN: ");
    expect(stdout).toContain("greeting.yaml: valid, workflow greeting with 3 steps");
    expect(stdout).toMatch(/^\d errors in 2 files$/m);
  });

  test("S1-44 warns of a slow call without a timeout, and calls the definition valid", async () => {
    using place = workspace();
    const { exitCode, stdout } = await place.run(["validate", "polite.yaml"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^polite\.yaml:3:\d+: warning TIMEOUT_MISSING: /m);
    expect(stdout).toContain("1 warning in 1 file");
  });

  test("--json tells a program the same", async () => {
    using place = workspace();
    const { exitCode, stdout } = await place.run(["validate", "polite.yaml", "broken.yaml", "--json"]);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      files: [
        { file: "polite.yaml", valid: true, workflow: "polite", steps: 1, problems: [{ code: "TIMEOUT_MISSING", severity: "warning" }] },
        { file: "broken.yaml", valid: false, workflow: null, steps: null },
      ],
    });
  });

  test("S4-20 asks for the value of a variable that --var does not give", async () => {
    using place = workspace();
    const { exitCode, stdout } = await place.run(["validate", "greeting.yaml", "--operators", "operators.mjs"]);
    expect(exitCode).toBe(2);
    expect(stdout).toContain("USER_VARIABLE_MISSING: ${user.title} has no value\n  hint: Pass it: --var title=VALUE.");
  });

  test("says where functions come from when an operator is unknown", async () => {
    using place = workspace();
    const { stdout } = await place.run(["validate", "greeting.yaml", "--var", "title=Dr"]);
    expect(stdout).toContain("Functions of your own come from a module: --operators FILE");
  });
});

describe("stepwell graph", () => {
  test("draws Mermaid, DOT and data, without the operators' module", async () => {
    using place = workspace();
    const args = ["graph", "greeting.yaml", "--var", "title=Dr"];
    expect((await place.run(args)).stdout).toMatch(/^flowchart TD\n.*greet<br\/>transform[^]*-\.->\|"reference"\|/);
    expect((await place.run([...args, "--format", "dot"])).stdout).toMatch(/^digraph "greeting" \{\n/);
    expect(JSON.parse((await place.run([...args, "--format", "json"])).stdout)).toMatchObject({
      name: "greeting",
      edges: [{ from: "greet", to: "shout", kind: "data", inferred: true, required: true }],
    });
  });

  test("ends with 2 for a definition that is wrong", async () => {
    using place = workspace();
    const { exitCode, stderr } = await place.run(["graph", "broken.yaml"]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/broken\.yaml:5:30: error STEP_UNKNOWN[^]*stepwell: DEFINITION_INVALID: broken\.yaml has \d errors/);
  });
});

test("--version and --help answer on the standard output, nothing at all is a question", async () => {
  using place = workspace();
  expect(await place.run(["--version"])).toMatchObject({ exitCode: 0, stdout: `${VERSION}\n`, stderr: "" });
  const help = await place.run(["run", "--help"]);
  expect(help).toMatchObject({ exitCode: 0, stderr: "" });
  expect(help.stdout).toContain("Examples:");
  const empty = await place.run([]);
  expect(empty).toMatchObject({ exitCode: 2, stdout: "" });
  expect(empty.stderr).toContain("Usage: stepwell");
});
