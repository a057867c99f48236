import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type RunningProcess, Workspace } from "../../../test/fixtures/cli-process.ts";
import { type Gate, gate } from "../../../test/fixtures/gate.ts";
import { ask, askUntil, sendBytes } from "../../../test/fixtures/http.ts";
import { answering, serve } from "../../../test/fixtures/loopback-server.ts";
import { query } from "../../../test/fixtures/postgres/database.ts";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { startProxy } from "../../../test/fixtures/postgres/proxy.ts";
import { openLedger } from "../../ledger/url.ts";
import { askLedger } from "./readiness.ts";

const held = (at: Gate): string =>
  `name: held\nsteps:\n  hold: { uses: http, with: { url: "${at.url}" }, timeout: 60s, output: { done: true } }\n`;

/** A server, or a worker with a health port, on any free port. */
function start(place: Workspace, command: string, ...flags: readonly string[]): RunningProcess {
  return place.start([command, command === "server" ? "--port" : "--health-port", "0", ...flags]);
}

async function stop(running: RunningProcess): Promise<void> {
  running.kill("SIGTERM");
  const { exitCode, stderr } = await running.ended;
  expect([exitCode, stderr]).toStrictEqual([0, ""]);
}

describe.each(["server", "worker"])("the health of a %s", (command) => {
  test("is told over HTTP, on loopback, without a word of who answers", async () => {
    using place = new Workspace({}, { STEPWELL_LEDGER: "runs.db" });
    const running = start(place, command);
    const url = await running.listening();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await running.printed(" is ready: runs.db, epoch 1");
    const live = await ask(`${url}/healthz`);
    expect(live).toMatchObject({
      status: 200,
      body: { status: "ok", uptimeMs: expect.any(Number), eventLoopDelay: { lastMs: expect.any(Number), maxMs: expect.any(Number) } },
    });
    expect([...live.headers.keys()].toSorted()).toStrictEqual([
      "cache-control",
      "connection",
      "content-length",
      "content-type",
      "date",
      "keep-alive",
    ]);
    expect(await ask(`${url}/readyz?verbose`)).toMatchObject({ status: 200, body: { status: "ready" } });
    const head = await fetch(`${url}/readyz`, { method: "HEAD" });
    expect([head.status, await head.text()]).toStrictEqual([200, ""]);
    await stop(running);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
  });

  test("S2+21 it is not ready from the signal on, still lives while its attempts end, and then ends with 0", async () => {
    await using door = await gate();
    using place = new Workspace({ "held.yaml": held(door) }, { STEPWELL_LEDGER: "runs.db" });
    const running = start(place, command);
    const url = await running.listening();
    await askUntil(`${url}/readyz`, 200);
    await place.run(["run", "held.yaml", "--detach"]);
    await door.request(1);
    running.kill("SIGTERM");
    const { status, headers, body } = await askUntil(`${url}/readyz`, 503, "NOT_READY");
    expect(body).toStrictEqual({
      type: "urn:stepwell:error:NOT_READY",
      title: "The process takes no work now",
      status,
      detail: "The process is being stopped",
      code: "NOT_READY",
    });
    expect(headers.get("content-type")).toBe("application/problem+json");
    const live = await ask(`${url}/healthz`);
    expect([live.status, live.headers.get("connection")]).toStrictEqual([200, "close"]);
    door.open();
    const { exitCode, stdout, stderr } = await running.ended;
    expect([exitCode, stderr]).toStrictEqual([0, ""]);
    expect(stdout.slice(stdout.indexOf("Stopping"))).toMatch(
      /^Stopping: running attempts may end within 10\.0 s \(again to stop at once\)\n(?:.*SUCCEEDED\n)?Stopped; /,
    );
  });

  test("a port that is taken, or a host that is none, is one line, and nothing was started", async () => {
    await using other = await serve(answering("other"));
    using place = new Workspace({}, { STEPWELL_LEDGER: "runs.db" });
    const { port } = new URL(other.url);
    const [portFlag, hostFlag] = command === "server" ? ["--port", "--host"] : ["--health-port", "--health-host"];
    const taken = await place.run([command, portFlag, port]);
    expect([taken.exitCode, taken.stdout]).toStrictEqual([2, ""]);
    expect(taken.stderr).toBe(
      `stepwell: ADDRESS_UNAVAILABLE: Port ${port} of 127.0.0.1 is taken by another process\n  hint: Stop that process, or choose another port.\n`,
    );
    // an address for documentation, which no machine has
    const elsewhere = await place.run([command, portFlag, "0", hostFlag, "192.0.2.1"]);
    expect([elsewhere.exitCode, elsewhere.stdout]).toStrictEqual([2, ""]);
    expect(elsewhere.stderr).toMatch(/^stepwell: ADDRESS_UNAVAILABLE: 192\.0\.2\.1 is no address of this machine\n {2}hint: .*\n$/);
    expect(existsSync(join(place.folder, "runs.db"))).toBe(false);
  });
});

describe("a request that nobody can answer", () => {
  test("is a problem by RFC 9457, whatever is wrong with it", async () => {
    using place = new Workspace({}, { STEPWELL_LEDGER: "runs.db" });
    const running = start(place, "server");
    const url = await running.listening();
    expect(await ask(`${url}/v1/runs`)).toMatchObject({
      status: 404,
      body: { type: "urn:stepwell:error:ROUTE_NOT_FOUND", status: 404, code: "ROUTE_NOT_FOUND" },
    });
    const posted = await ask(`${url}/healthz`, { method: "POST", body: "{}" });
    expect([posted.status, posted.headers.get("allow"), posted.body["code"]]).toStrictEqual([405, "GET, HEAD", "METHOD_NOT_ALLOWED"]);
    const broken = await sendBytes(url, "what is this\r\n\r\n");
    expect(broken).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json\r\n/);
    expect(broken).toContain('"code":"REQUEST_INVALID"');
    const large = await sendBytes(url, `GET /healthz HTTP/1.1\r\nHost: x\r\nLarge: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n.*"status":431/s);
    await stop(running);
  });
});

describe("on PostgreSQL", () => {
  const database = sharedDatabase();

  test("a server that drives no runs is ready, leaves them to workers, and ends at a signal", async () => {
    await using door = await gate();
    door.open();
    using place = new Workspace({ "held.yaml": held(door) }, { STEPWELL_LEDGER: `${await database()}?schema=serving` });
    const server = start(place, "server", "--no-work", "--json");
    await askUntil(`${await server.listening()}/readyz`, 200);
    await server.printed('"epoch":null');
    await place.run(["run", "held.yaml", "--detach"]);
    expect((await place.run(["doctor"])).stdout).toMatch(/^ok +Engine +none$/m);
    const worker = place.start(["worker"]);
    await worker.printed("SUCCEEDED");
    await stop(worker);
    await stop(server);
    expect((await server.ended).stdout).not.toContain('"run.started"');
  });

  test.each(["server", "worker"])(
    "a %s is not ready while its ledger is out of reach, and ready again when it is back",
    async (command) => {
      await using proxy = await startProxy(await database());
      using place = new Workspace({}, { STEPWELL_LEDGER: `${proxy.url}?schema=away_${command}` });
      const running = start(place, command);
      const url = await running.listening();
      await askUntil(`${url}/readyz`, 200);
      await proxy.refuse();
      const { body } = await askUntil(`${url}/readyz`, 503, "LEDGER_UNREACHABLE");
      expect(body["detail"]).toBeUndefined();
      expect((await ask(`${url}/healthz`)).status).toBe(200);
      await proxy.restore();
      await askUntil(`${url}/readyz`, 200);
      await stop(running);
    },
  );

  test("a server that still waits for its ledger says that it is starting", async () => {
    await using proxy = await startProxy(await database());
    proxy.swallow();
    using place = new Workspace({}, { STEPWELL_LEDGER: proxy.url });
    const server = start(place, "server");
    const url = await server.listening();
    expect(await ask(`${url}/readyz`)).toMatchObject({ status: 503, body: { code: "NOT_READY", detail: "The process is starting" } });
    expect((await ask(`${url}/healthz`)).status).toBe(200);
    server.kill("SIGKILL");
    await server.ended;
  });

  test("a process whose event loop stands still for longer than a heartbeat says so, and tells it of its health", async () => {
    const operators = "export const block = () => { const until = performance.now() + 1_000; while (performance.now() < until); };\n";
    const files = { "operators.mjs": operators, "blocking.yaml": "name: blocking\nsteps: [{ id: block, uses: block }]\n" };
    using place = new Workspace(files, { STEPWELL_LEDGER: `${await database()}?schema=blocked`, STEPWELL_OPERATORS: "operators.mjs" });
    const running = start(place, "server", "--lease", "2s");
    const url = await running.listening();
    await place.run(["run", "blocking.yaml", "--operators", "operators.mjs", "--detach"]);
    await running.printed("  the event loop stood still for ");
    const { body } = await ask(`${url}/healthz`);
    expect(Number(Object(body["eventLoopDelay"])["maxMs"])).toBeGreaterThan(250);
    await running.printed("SUCCEEDED");
    await stop(running);
  });

  test("the ledger knows when the lease of a process has run out, whatever the process thinks", async () => {
    const url = `${await database()}?schema=expired`;
    const ledger = await openLedger(url, { leaseMs: 60_000 });
    const { epoch } = await ledger.own({ name: "one", host: "here", pid: 1, version: "1", groups: null });
    await expect(askLedger(url, ledger, epoch)).resolves.toBeUndefined();
    await query(await database(), "UPDATE expired.worker SET heartbeat_at = 0");
    await expect(askLedger(url, ledger, epoch)).rejects.toMatchObject({ code: "LEDGER_FENCED" });
    await expect(askLedger(url, ledger, undefined)).resolves.toBeUndefined();
    await query(
      await database(),
      "INSERT INTO expired.migration (number, name, checksum, compatible_from) VALUES (999, 'later', 'x', 999)",
    );
    await expect(askLedger(url, ledger, undefined)).rejects.toMatchObject({ code: "LEDGER_SCHEMA_NEWER" });
    await query(await database(), "DELETE FROM expired.migration");
    await expect(askLedger(url, ledger, undefined)).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await query(await database(), "DROP SCHEMA expired CASCADE");
    await expect(askLedger(url, ledger, undefined)).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
    await ledger.close().catch(() => undefined);
  });

  test("a second signal ends a server at once, also while it drains", async () => {
    await using door = await gate();
    using place = new Workspace({ "held.yaml": held(door) }, { STEPWELL_LEDGER: `${await database()}?schema=twice_served` });
    const server = start(place, "server");
    await askUntil(`${await server.listening()}/readyz`, 200);
    await place.run(["run", "held.yaml", "--detach"]);
    await door.request(1);
    server.kill("SIGTERM");
    await server.printed("Stopping: ");
    server.kill("SIGINT");
    expect((await server.ended).exitCode).toBe(130);
  });
});
