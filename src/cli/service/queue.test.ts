import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type RunningProcess, Workspace } from "../../../test/fixtures/cli-process.ts";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { needRedis, startRedis } from "../../../test/fixtures/redis/server.ts";

const DEFINITION = `
name: greet
input: { type: object, required: [who] }
steps:
  greet: { uses: greet, with: { who: "{{ input.who }}" } }
output: "{{ steps.greet.output }}"
`;
const FILES = { "greet.yaml": DEFINITION, "operators.mjs": "export const greet = ({ who }) => `hello ${who}`;" };
const NO_REDIS = "redis://me:very-secret@127.0.0.1:1/0";

/** Leaves a run to whoever is at work, and gives its id. */
async function leaveRun(place: Workspace, who: string, ...flags: readonly string[]): Promise<string> {
  const input = JSON.stringify({ who });
  const args = ["run", "greet.yaml", "--operators", "operators.mjs", "--input", input, "--detach", "--json", ...flags];
  const { stdout, stderr, exitCode } = await place.run(args);
  expect([exitCode, stderr]).toEqual([0, ""]);
  return z.object({ id: z.string() }).parse(JSON.parse(stdout)).id;
}

async function ready(process: RunningProcess): Promise<void> {
  await process.printed(" is ready: ");
}

describe("workers with a queue on Redis", () => {
  beforeEach(needRedis);
  const database = sharedDatabase();

  test("S3-2 S3-10 they subscribe to jobs, say so, work on without Redis, and go by jobs again when it is back", async () => {
    await using redis = await startRedis();
    const ledger = `${await database()}?schema=subscribed`;
    using place = new Workspace(FILES, { STEPWELL_DATABASE_URL: ledger, STEPWELL_QUEUE: redis.url });
    const worker = place.start(["worker", "--operators", "operators.mjs"]);
    await ready(worker);
    const first = await leaveRun(place, "first");
    await worker.printed(`greet  ${first}  SUCCEEDED`);
    await redis.kill();
    await worker.printed("the queue stalls, and the ledger does without it: QUEUE_UNREACHABLE: redis://127.0.0.1:");
    const args = ["run", "greet.yaml", "--operators", "operators.mjs", "--input", '{"who":"meanwhile"}', "--detach"];
    const { exitCode, stdout, stderr } = await place.run(args);
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^warning QUEUE_UNREACHABLE: redis:\S+ connect ECONNREFUSED \S+\n$/)]);
    await worker.printed(`greet  ${stdout.split(" ")[0]}  SUCCEEDED`);
    await redis.restart();
    await worker.printed("the queue answers again");
    const last = await leaveRun(place, "last");
    await worker.printed(`greet  ${last}  SUCCEEDED`);
    worker.kill("SIGTERM");
    const end = await worker.ended;
    expect([end.exitCode, end.stderr]).toEqual([0, ""]);
    expect(end.stdout).toMatch(/^Worker \S+ is ready: postgres:\S+, redis:\/\/127\.0\.0\.1:\d+\/0, epoch 1$/m);
    expect(end.stdout).not.toContain(redis.password);
  });

  test("S3-10 a server whose ledger is a file may have one", async () => {
    await using redis = await startRedis();
    using place = new Workspace(FILES, { STEPWELL_LEDGER: "sqlite:ledger.db", STEPWELL_QUEUE: `${redis.url}?prefix=files` });
    const server = place.start(["server", "--port", "0", "--operators", "operators.mjs", "--json"]);
    await server.printed('"server.ready"');
    const id = await leaveRun(place, "file");
    await server.printed(`"type":"run.ended","run":{"id":"${id}"`);
    server.kill("SIGTERM");
    expect(await server.ended).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.stringContaining("?prefix=files") });
  });
});

describe("a worker whose Redis does not answer", () => {
  test("says so in one line when it starts, and ends", async () => {
    using place = new Workspace(FILES);
    const { exitCode, stdout, stderr } = await place.run(["worker", "--ledger", "ledger.db", "--queue", NO_REDIS]);
    expect(exitCode).toBe(1);
    expect(stdout).toBe("");
    expect(stderr.split("\n")[0]).toBe("stepwell: QUEUE_UNREACHABLE: redis://127.0.0.1:1/0: connect ECONNREFUSED 127.0.0.1:1");
    expect(stderr).not.toContain("very-secret");
  });

  test("is told of a URL that makes no sense without its password, and shows one without", async () => {
    using place = new Workspace(FILES);
    const wrong = await place.run(["worker", "--ledger", "ledger.db", "--queue", "redis://me:very-secret@host/orders"]);
    expect([wrong.exitCode, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toContain("--queue: error CONFIG_INVALID: A Redis has numbered databases");
    const shown = await place.run(["worker", "--ledger", "ledger.db", "--queue", NO_REDIS, "--show-config"]);
    expect(shown.stdout).toMatch(/^queue +redis:\/\/127\.0\.0\.1:1\/0 +--queue$/m);
    expect(`${wrong.stderr}${shown.stdout}`).not.toContain("very-secret");
  });
});
