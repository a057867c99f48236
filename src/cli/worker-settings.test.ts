import { join } from "node:path";
import { expect, test } from "vitest";
import { Workspace } from "../../test/fixtures/cli-process.ts";
import { readWorkerSettings, type WorkerFlags } from "./worker-settings.ts";

const URL = "postgres://host/base";

async function problemsOf(...args: Parameters<typeof readWorkerSettings>): Promise<readonly (string | undefined)[]> {
  return (await readWorkerSettings(...args)).problems.map(({ message, file }) => `${file}: ${message}`);
}

test("flags count before the environment, the environment before the file; a file's paths stand beside it", async () => {
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
  await expect(readWorkerSettings({ lease: "6s" }, environment)).resolves.toStrictEqual({
    settings: {
      ledger: "postgres://second/base",
      operators: join(place.folder, "operators.ts"),
      concurrency: 7,
      leaseMs: 6_000,
      graceMs: 60_000,
      retention: {},
    },
    problems: [],
  });
  const first = await readWorkerSettings({}, { ...environment, STEPWELL_LEDGER: URL });
  expect(first.settings).toMatchObject({ ledger: URL, leaseMs: 5_000 });
});

test("what is not told is left to the engine", async () => {
  await expect(readWorkerSettings({ ledger: "runs.db" }, {})).resolves.toStrictEqual({
    settings: { ledger: "runs.db", operators: undefined, concurrency: undefined, leaseMs: undefined, graceMs: 10_000, retention: {} },
    problems: [],
  });
});

test("every value that makes no sense is a problem with its place", async () => {
  expect(await problemsOf({ ledger: URL, concurrency: "0", lease: "10ms" }, { STEPWELL_OPERATORS: " " })).toStrictEqual([
    'STEPWELL_OPERATORS: " " is not a text',
    '--concurrency: "0" is not a whole number from 1 to 100000',
    "--lease: A lease of 10 ms is too short",
  ]);
  expect(await problemsOf({ ledger: "memory:" }, {})).toStrictEqual([
    "--ledger: A worker cannot drive the runs of memory:: nobody else would reach them",
  ]);
  expect(await problemsOf({ ledger: "redis://here" }, {})).toStrictEqual(['--ledger: There is no ledger for "redis:"']);
  expect(await problemsOf({ ledger: "postgres://a b" }, {})).toStrictEqual(["--ledger: The ledger's URL cannot be read"]);
  expect(await problemsOf({ ledger: "runs.db", lease: "2s" }, {})).toStrictEqual(["--lease: Only a worker on PostgreSQL has a lease"]);
});

test("a configuration that is no map, cannot be parsed, or is not there is a problem too", async () => {
  using place = new Workspace({ "list.yaml": "[1, 2]", "broken.yaml": "lease: [", "typed.yaml": "lease: true\nledger: 5\n" });
  const problems = (name: string): Promise<readonly (string | undefined)[]> =>
    problemsOf({ ledger: URL, config: join(place.folder, name) }, {});
  expect(await problems("list.yaml")).toStrictEqual([expect.stringContaining("A configuration is a map of settings")]);
  expect((await problems("broken.yaml")).length).toBeGreaterThan(0);
  expect(await problems("nowhere.yaml")).toStrictEqual([
    expect.stringMatching(/The configuration .*nowhere\.yaml cannot be read \(ENOENT\)/),
  ]);
  expect(await problems("typed.yaml")).toStrictEqual([expect.stringContaining("lease: true is not a duration")]);
});

test("how long runs are kept is one duration, one for each status, or a map that names workflows too", async () => {
  using place = new Workspace({
    "map.yaml": "retention:\n  runs: { SUCCEEDED: 7d, FAILED: 90d }\n  workflows:\n    nightly: 1d\n    audit: {}\n",
    "one.yaml": "retention: 30d\n",
  });
  const retention = async (flags: WorkerFlags, environment: NodeJS.ProcessEnv = {}): Promise<unknown> => {
    const { settings, problems } = await readWorkerSettings({ ledger: URL, ...flags }, environment);
    return problems.length > 0 ? problems.map(({ message, file }) => `${file}: ${message}`) : settings.retention;
  };
  const at = (name: string): WorkerFlags => ({ config: join(place.folder, name) });
  await expect(retention(at("one.yaml"))).resolves.toStrictEqual({ runs: "30d" });
  await expect(retention(at("map.yaml"))).resolves.toStrictEqual({
    runs: { SUCCEEDED: "7d", FAILED: "90d" },
    workflows: { nightly: "1d", audit: {} },
  });
  await expect(retention({}, { STEPWELL_RETENTION: "FAILED=90d" })).resolves.toStrictEqual({ runs: { FAILED: "90d" } });
  await expect(retention({ retention: "SUCCEEDED=7d, CANCELLED=1d" })).resolves.toStrictEqual({
    runs: { SUCCEEDED: "7d", CANCELLED: "1d" },
  });
  await expect(retention({ retention: "soon" })).resolves.toStrictEqual(['--retention: "soon" is not a duration']);
  await expect(retention({ retention: "RUNNING=1d" })).resolves.toStrictEqual(["--retention: Runs do not end RUNNING"]);
  for (const [text, said] of [
    ["30", "30 does not say how long runs are kept"],
    ["{ runs: [1d] }", '["1d"] does not say how long runs are kept'],
    ["{ workflows: 1d }", '"1d" does not say how long runs are kept'],
    ["{ runs: { FAILED: 5 } }", "5 does not say how long runs are kept"],
    ["{ steps: 1d }", 'A retention has no "steps"'],
  ] as const) {
    place.write("wrong.yaml", `retention: ${text}\n`);
    await expect(retention(at("wrong.yaml"))).resolves.toStrictEqual([`${join(place.folder, "wrong.yaml")}: retention: ${said}`]);
  }
});
