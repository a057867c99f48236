import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Workspace } from "../../../test/fixtures/cli-process.ts";
import type { Problem } from "../../model/problem.ts";
import { readSettings, type SaidFlags } from "./read.ts";
import { SERVER_SETTINGS, WORKER_SETTINGS } from "./settings.ts";

const URL = "postgres://host/base";
/** A word: nothing tells it from the rest of a message. */
const SECRET = "swordfish";
const DEFAULTS = {
  queue: "ledger",
  operators: undefined,
  groups: undefined,
  concurrency: undefined,
  lease: 10_000,
  grace: 10_000,
  retention: undefined,
  archive: undefined,
  healthPort: undefined,
  healthHost: "127.0.0.1",
};

/** `place: CODE message`, as somebody sees a problem without its hint. */
function said({ path, file, position, code, message }: Problem): string {
  const place = position === undefined ? (file ?? path) : `${file?.replace(/^.*\//, "")}:${position.line}:${position.column}`;
  return `${place}: ${code} ${message}`;
}

async function problemsOf(flags: SaidFlags, environment: NodeJS.ProcessEnv = {}): Promise<readonly string[]> {
  const { settings, problems } = await readSettings(WORKER_SETTINGS, flags, environment);
  expect(settings === undefined).toBe(problems.some(({ severity }) => severity === "error"));
  return problems.map(said);
}

/** The problems of a file, for a worker that is told its ledger. */
async function problemsIn(text: string, flags: SaidFlags = { ledger: URL }): Promise<readonly string[]> {
  using place = new Workspace({ "file.yaml": text });
  return await problemsOf({ ...flags, config: join(place.folder, "file.yaml") });
}

describe("the settings of a process", () => {
  test("S2-38 flags count before the environment, the environment before the file; a file's paths stand beside it", async () => {
    using place = new Workspace({
      "stepwell.yaml": "ledger: postgres://file/base\noperators: operators.ts\nconcurrency: 7\nlease: 4s\ngrace: PT1M\n",
    });
    const config = join(place.folder, "stepwell.yaml");
    const environment = {
      STEPWELL_CONFIG: config,
      STEPWELL_DATABASE_URL: "postgres://second/base",
      STEPWELL_LEASE: "5s",
      STEPWELL_GRACE: "",
    };
    const { settings, problems, effective } = await readSettings(WORKER_SETTINGS, { lease: "6s" }, environment);
    expect(problems).toStrictEqual([]);
    expect(settings).toStrictEqual({
      ...DEFAULTS,
      ledger: "postgres://second/base",
      operators: join(place.folder, "operators.ts"),
      groups: undefined,
      concurrency: 7,
      lease: 6_000,
      grace: 60_000,
    });
    expect(Object.fromEntries(effective.map(({ name, source }) => [name, source]))).toMatchObject({
      ledger: { kind: "environment", name: "STEPWELL_DATABASE_URL" },
      lease: { kind: "flag", name: "--lease" },
      grace: { kind: "file", name: config, position: { line: 5, column: 8 } },
      healthPort: { kind: "default" },
    });
    const first = await readSettings(WORKER_SETTINGS, {}, { ...environment, STEPWELL_LEDGER: URL });
    expect(first.settings).toMatchObject({ ledger: URL, lease: 5_000 });
  });

  test("what nobody says is the default", async () => {
    const worker = await readSettings(WORKER_SETTINGS, { ledger: "runs.db" }, {});
    expect(worker).toMatchObject({ problems: [], file: undefined });
    expect(worker.settings).toStrictEqual({ ...DEFAULTS, ledger: "runs.db" });
    const server = await readSettings(SERVER_SETTINGS, { ledger: "runs.db" }, { STEPWELL_WORK: "0" });
    expect(server.settings).toMatchObject({ port: 8_000, host: "127.0.0.1", work: false });
  });

  test("every value that makes no sense is a problem with its place", async () => {
    const flags = { ledger: URL, concurrency: "0", lease: "10ms", healthPort: "65536", healthHost: "a:b" };
    expect(await problemsOf(flags, { STEPWELL_OPERATORS: " " })).toStrictEqual([
      'STEPWELL_OPERATORS: CONFIG_INVALID " " is not a text',
      '--concurrency: CONFIG_INVALID "0" is not a whole number from 1 to 100000',
      "--lease: CONFIG_INVALID 10ms is too short",
      '--health-port: CONFIG_INVALID "65536" is not a whole number from 0 to 65535',
      '--health-host: CONFIG_INVALID "a:b" is neither an IP address nor a host name',
    ]);
    const server = await readSettings(SERVER_SETTINGS, { ledger: URL }, { STEPWELL_WORK: "yes" });
    expect(server.problems.map(said)).toStrictEqual(['STEPWELL_WORK: CONFIG_INVALID "yes" is neither true nor false']);
  });

  test.each([
    ["memory:", "A ledger in memory ends with its process: nobody else would reach its runs"],
    ["redis://here", 'There is no ledger for "redis:"'],
    ["postgres://a b", "The ledger's URL cannot be read"],
    ["postgres://host", "The ledger's URL names no database"],
    ["sqlite:", 'The ledger "sqlite:" names no file'],
  ])("the ledger %s is refused", async (ledger, message) => {
    expect(await problemsOf({ ledger })).toStrictEqual([`--ledger: CONFIG_INVALID ${message}`]);
  });

  test("S2-8 a ledger is PostgreSQL or SQLite, and a lease goes with the first alone", async () => {
    expect(await problemsOf({ ledger: "runs.db", lease: "2s" })).toStrictEqual([
      "--lease: CONFIG_INVALID Only an engine on PostgreSQL has a lease",
    ]);
    expect(await problemsOf({ ledger: URL, lease: "2s" })).toStrictEqual([]);
  });
});

describe("a file of settings", () => {
  test("is checked as a whole, for every process that it may serve, also what is overruled", async () => {
    const text = "leese: 4s\nconcurrency: many\nlease:\nport: 70000\ngrace: 1s\ngrace: 2s\noperators: [a]\n";
    expect(await problemsIn(text, { ledger: URL, concurrency: "3" })).toStrictEqual([
      'file.yaml:6:1: CONFIG_SYNTAX "grace" stands here twice',
      'file.yaml:1:1: CONFIG_UNKNOWN "leese" is no setting',
      'file.yaml:2:14: CONFIG_INVALID "many" is not a whole number from 1 to 100000',
      "file.yaml:4:7: CONFIG_INVALID 70000 is not a whole number from 0 to 65535",
      "file.yaml:7:12: CONFIG_INVALID A list or a map is not a text",
    ]);
    using place = new Workspace({ "file.yaml": text });
    const { problems } = await readSettings(WORKER_SETTINGS, { config: join(place.folder, "file.yaml") }, {});
    expect(problems.find(({ code }) => code === "CONFIG_UNKNOWN")?.hint).toBe("Did you mean `lease`?");
  });

  test("that nobody can read is one problem: what it may say is not missed", async () => {
    expect(await problemsIn("[1, 2]", {})).toStrictEqual(["file.yaml:1:1: CONFIG_SYNTAX A configuration is a map of settings"]);
    expect(await problemsIn("lease: 'soon", {})).toStrictEqual(["file.yaml:1:13: CONFIG_SYNTAX Missing closing 'quote"]);
    expect(await problemsOf({ config: "nowhere.yaml" })).toStrictEqual([
      ": FILE_UNREADABLE The configuration nowhere.yaml cannot be read (ENOENT)",
    ]);
  });

  test("that is empty says nothing; a ledger that makes no sense is not missed as well", async () => {
    expect(await problemsIn("# nothing yet\n")).toStrictEqual([]);
    expect(await problemsIn("ledger: 5\n", {})).toStrictEqual(["file.yaml:1:9: CONFIG_INVALID The ledger's URL is not a text"]);
  });
});

describe("the password in a ledger's URL", () => {
  const url = `postgres://me:${SECRET}@host/base`;

  test.each([
    `ledger: [${url}]`,
    `ledger: { ${url}: 1 }`,
    `${url}: 5`,
    `ledger: !${url} x`,
    `ledger: "${url}`,
    `ledger: ${url}\n  ledger: ${url}`,
    `ledger: "\\${SECRET}"`,
    `ledger: &${SECRET} x`,
    `%${SECRET} x\nledger: 1`,
    `ledger: { a: ${url} ]`,
    `ledger: |${SECRET}\n  x`,
    `- ${url}\nledger: ${url}`,
    `...[---\n#---\n${SECRET}`,
    `>- ${SECRET} x`,
    `>} >\n} ${SECRET}`,
    `ledger: postgres://me:${SECRET}@`,
    `ledger: postgres:// ${SECRET}`,
    `ledger: redis://me:${SECRET}@host`,
  ])("is in no message about: %s", async (text) => {
    using place = new Workspace({ "file.yaml": text });
    const { problems } = await readSettings(WORKER_SETTINGS, { config: join(place.folder, "file.yaml") }, {});
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain(SECRET);
  });
});

describe("variables of the environment", () => {
  test("that were meant for Stepwell and that nothing reads are warned of, without their value", async () => {
    const { settings, problems } = await readSettings(
      WORKER_SETTINGS,
      { ledger: URL },
      { STEPWELL_LEASEE: SECRET, STEPWELL_DEBUG: "1", STEPWELL_PORT: "1", STEPWELL_EMPTY: "", OTHER: "x" },
    );
    expect(settings).toBeDefined();
    expect(problems).toStrictEqual([
      {
        code: "CONFIG_VARIABLE_UNKNOWN",
        severity: "warning",
        path: "STEPWELL_LEASEE",
        message: "No setting is read from this variable",
        hint: "Did you mean `STEPWELL_LEASE`?",
      },
    ]);
  });

  test("that Kubernetes sets for a service named stepwell say nothing", async () => {
    const links = {
      STEPWELL_SERVICE_HOST: "10.0.0.1",
      STEPWELL_SERVICE_PORT: "8000",
      STEPWELL_SERVICE_PORT_HTTP: "8000",
      STEPWELL_PORT: "tcp://10.0.0.1:8000",
      STEPWELL_PORT_8000_TCP: "tcp://10.0.0.1:8000",
      STEPWELL_PORT_8000_TCP_ADDR: "10.0.0.1",
      STEPWELL_API_PORT_80_TCP_PROTO: "tcp",
    };
    const { settings, problems } = await readSettings(SERVER_SETTINGS, { ledger: URL }, links);
    expect(problems).toStrictEqual([]);
    expect(settings?.port).toBe(8_000);
  });
});

describe("how long runs are kept", () => {
  const retentionOf = async (flags: SaidFlags, environment: NodeJS.ProcessEnv = {}): Promise<unknown> => {
    const { settings, problems } = await readSettings(WORKER_SETTINGS, { ledger: URL, ...flags }, environment);
    return settings === undefined ? problems.map(said) : settings.retention;
  };

  test("is one duration, one for each status, or a map that names workflows too", async () => {
    using place = new Workspace({
      "map.yaml": "retention:\n  runs: { SUCCEEDED: 7d, FAILED: 90d }\n  workflows:\n    nightly: 1d\n    audit: {}\n",
      "one.yaml": "retention: 30d\n",
    });
    const byWorkflow = { runs: { SUCCEEDED: "7d", FAILED: "90d" }, workflows: { nightly: "1d", audit: {} } };
    expect(await retentionOf({ config: join(place.folder, "one.yaml") })).toStrictEqual({ runs: "30d" });
    expect(await retentionOf({ config: join(place.folder, "map.yaml") })).toStrictEqual(byWorkflow);
    expect(await retentionOf({}, { STEPWELL_RETENTION: JSON.stringify(byWorkflow) })).toStrictEqual(byWorkflow);
    expect(await retentionOf({}, { STEPWELL_RETENTION: "FAILED=90d" })).toStrictEqual({ runs: { FAILED: "90d" } });
    expect(await retentionOf({ retention: "SUCCEEDED=7d, CANCELLED=1d" })).toStrictEqual({ runs: { SUCCEEDED: "7d", CANCELLED: "1d" } });
  });

  test("is refused with its place when it makes no sense", async () => {
    expect(await retentionOf({ retention: "soon" })).toStrictEqual(['--retention: CONFIG_INVALID "soon" is not a duration']);
    expect(await retentionOf({ retention: "RUNNING=1d" })).toStrictEqual(["--retention: CONFIG_INVALID Runs do not end RUNNING"]);
    expect(await retentionOf({ retention: "{" })).toStrictEqual(['--retention: CONFIG_INVALID "{" does not say how long runs are kept']);
    for (const [text, why] of [
      ["30", "30 does not say how long runs are kept"],
      ["{ runs: [1d] }", '["1d"] does not say how long runs are kept'],
      ["{ workflows: 1d }", '"1d" does not say how long runs are kept'],
      ["{ runs: { FAILED: 5 } }", "5 does not say how long runs are kept"],
      ["{ steps: 1d }", 'A retention has no "steps"'],
    ] as const)
      expect(await problemsIn(`retention: ${text}\n`)).toStrictEqual([`file.yaml:1:12: CONFIG_INVALID ${why}`]);
  });
});
