import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FreshDatabase, freshDatabase, needPostgres, query } from "../../fixtures/postgres/database.ts";
import { LineProcess } from "../lines.ts";

const LEASE_MS = 2_000;
/** From the end of a lease until another engine has ended a short run of it. */
const TAKEN_OVER_MS = 2_000;

let database: FreshDatabase;
let engines: LineProcess[] = [];

beforeEach(async (context) => {
  needPostgres(context);
  database = await freshDatabase();
});

afterEach(async () => {
  for (const engine of engines.splice(0)) {
    engine.kill();
    await engine.ended();
  }
  await database.drop();
});

async function startEngine(): Promise<LineProcess> {
  const engine = new LineProcess(new URL("leasing-engine.ts", import.meta.url), [database.url, String(LEASE_MS)]);
  engines = [...engines, engine];
  await engine.told("ready");
  return engine;
}

/** A run of the first engine in its held step, and another engine that would hold nothing. */
async function heldRun(): Promise<{ readonly first: LineProcess; readonly second: LineProcess; readonly id: string }> {
  const first = await startEngine();
  const second = await startEngine();
  second.tell("go");
  first.tell("start first");
  const id = await first.told("started first");
  await first.line("called b");
  return { first, second, id };
}

const calls = ({ lines }: LineProcess): readonly string[] => lines.filter((line) => line.startsWith("called "));
/** Everything that a run has in the ledger. */
const rows = () =>
  query(database.url, "SELECT s.*, r.revision AS of_run, r.status AS end FROM stepwell.step s, stepwell.run r ORDER BY s.key");

describe("a worker whose lease runs out", () => {
  test("P5 F31 writes nothing after it was stopped for longer, and another one has ended its run", async () => {
    const { first, second, id } = await heldRun();
    first.kill("SIGSTOP");
    second.tell(`result ${id}`);
    expect(await second.told(`ended ${id}`)).toBe("SUCCEEDED");
    const before = await rows();
    first.kill("SIGCONT");
    first.tell("go");
    expect(await first.told("failed")).toBe("LEDGER_FENCED");
    await first.told("returns");
    expect(Number(await first.told("owns"))).toBeGreaterThan(2);
    expect(calls(first)).toEqual(["called a", "called b"]);
    expect(calls(second)).toEqual(["called b", "called c"]);
    expect(await rows()).toEqual(before);
  });

  test("P5 F31 begins anew under another epoch: it hears of what became of its runs, and takes new ones", async () => {
    const { first, second, id } = await heldRun();
    first.tell(`result ${id}`);
    first.kill("SIGSTOP");
    second.tell(`result ${id}`);
    expect(await second.told(`ended ${id}`)).toBe("SUCCEEDED");
    first.kill("SIGCONT");
    expect(await first.told(`ended ${id}`)).toBe("SUCCEEDED");
    second.kill();
    first.tell("go");
    first.tell("start next");
    const next = await first.told("started next");
    first.tell(`result ${next}`);
    expect(await first.told(`ended ${next}`)).toBe("SUCCEEDED");
    expect(calls(first)).toEqual(["called a", "called b", "called a", "called b", "called c"]);
  });

  test("P5 F31 aborts its local work when it wakes, before that comes to an end", async () => {
    const { first, second, id } = await heldRun();
    first.kill("SIGSTOP");
    second.tell(`result ${id}`);
    await second.told(`ended ${id}`);
    first.kill("SIGCONT");
    await first.told("aborted");
    expect(first.lines).not.toContain("returns b");
  });

  test("P5 is killed: another one ends its run soon after the lease, and repeats only what was not recorded", async () => {
    const { first, second, id } = await heldRun();
    second.tell(`result ${id}`);
    const killedAt = performance.now();
    first.kill();
    expect(await second.told(`ended ${id}`)).toBe("SUCCEEDED");
    expect(performance.now() - killedAt).toBeLessThan(LEASE_MS + TAKEN_OVER_MS);
    expect(calls(second)).toEqual(["called b", "called c"]);
  });
});
