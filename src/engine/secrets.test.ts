import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openLedger } from "../ledger/url.ts";
import { StepwellError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { Operator } from "../operators/operator.ts";
import { Harness } from "../testing/harness.ts";
import { systemClock } from "./system-clock.ts";

const CANARY = "canary-4f1c9e7ad2b84c0f";
const FILE_CANARY = "canary-from-a-file-77d0";
const secrets = { TOKEN: { env: "STEPWELL_TEST_TOKEN" } };

describe("secrets", () => {
  let directory = "";

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "stepwell-secrets-"));
    process.env["STEPWELL_TEST_TOKEN"] = CANARY;
    await writeFile(join(directory, "token"), `${FILE_CANARY}\n`);
  });

  afterEach(async () => {
    delete process.env["STEPWELL_TEST_TOKEN"];
    await rm(directory, { recursive: true });
  });

  const open = async (operators: Readonly<Record<string, Operator>>): Promise<Harness> =>
    new Harness(await openLedger(join(directory, "ledger.db")), { operators, stopGraceMs: 100 });

  /** Every file of the ledger, as text. */
  async function ledgerText(): Promise<string> {
    const names = (await readdir(directory)).filter((name) => name.startsWith("ledger.db"));
    expect(names).toContain("ledger.db");
    const files = await Promise.all(names.map((name) => readFile(join(directory, name), "latin1")));
    return files.join("\n");
  }

  test("they reach the operator from the environment and from a file, and neither the ledger, events nor errors", async () => {
    const seen: Json[] = [];
    const send: Operator = (input, { attempt, log }) => {
      seen.push(input);
      log.info("sending");
      if (attempt === 1) throw new StepwellError("HTTP_NETWORK", "no answer");
      return "sent";
    };
    const harness = await open({ send });
    const definition = {
      name: "secretive",
      secrets: { ...secrets, KEY: { file: join(directory, "token") } },
      steps: {
        a: {
          uses: "send",
          with: { headers: [{ secret: "TOKEN" }, "plain"], deep: { key: { secret: "KEY" } } },
          retry: { strategy: "fixed", maxAttempts: 2, initialDelay: 1 },
        },
      },
    };
    const id = await harness.start(definition);
    expect((await harness.stepwell.result(id)).status).toBe("SUCCEEDED");
    const filled = { headers: [CANARY, "plain"], deep: { key: FILE_CANARY } };
    expect(seen).toEqual([filled, filled]);
    const told = JSON.stringify([harness.events, await harness.stepwell.get(id)]);
    const during = await ledgerText();
    await harness.stepwell.stop();
    for (const text of [told, during, await ledgerText()]) {
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain(FILE_CANARY);
    }
    expect(during).toContain("secretive");
  });

  test("what only looks like a secret at run time stays data", async () => {
    const seen: Json[] = [];
    const harness = await open({ look: (input) => void seen.push(input), forge: () => ({ secret: "TOKEN" }) });
    const steps = [
      { id: "forged", uses: "forge" },
      {
        id: "look",
        uses: "look",
        with: { fromInput: "{{ input.data }}", fromStep: "{{ steps.forged.output }}", real: { secret: "TOKEN" } },
      },
    ];
    await harness.run({ name: "forged", secrets, steps }, { data: { secret: "TOKEN" } });
    expect(seen).toEqual([{ fromInput: { secret: "TOKEN" }, fromStep: { secret: "TOKEN" }, real: CANARY }]);
    await harness.stepwell.stop();
    expect(await ledgerText()).not.toContain(CANARY);
  });

  test("one that is not there fails the step with SECRET_UNAVAILABLE, and the operator is not called", async () => {
    delete process.env["STEPWELL_TEST_TOKEN"];
    let calls = 0;
    const harness = await open({ send: () => void (calls += 1) });
    const steps = {
      env: { uses: "send", with: { token: { secret: "TOKEN" } } },
      file: { uses: "send", with: { token: { secret: "KEY" } } },
    };
    const id = await harness.start({ name: "missing", secrets: { ...secrets, KEY: { file: join(directory, "absent") } }, steps });
    expect((await harness.stepwell.result(id)).status).toBe("FAILED");
    const run = await harness.stepwell.get(id);
    expect(run?.steps.map(({ error }) => error?.code)).toEqual(["SECRET_UNAVAILABLE", "SECRET_UNAVAILABLE"]);
    expect(calls).toBe(0);
    await harness.stepwell.stop();
  });

  test("one that is not there does not bring the process down while an interceptor takes its time", async () => {
    delete process.env["STEPWELL_TEST_TOKEN"];
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const slow = async (_attempt: unknown, next: () => Promise<unknown>): Promise<unknown> => {
      await new Promise<void>((resolve) => void systemClock.setTimer(5, resolve));
      return next();
    };
    const harness = new Harness(await openLedger(join(directory, "ledger.db")), { operators: { send: () => 1 }, interceptors: [slow] });
    const steps = { a: { uses: "send", with: { token: { secret: "TOKEN" } } } };
    const outcome = await harness.run({ name: "slow", secrets, steps });
    process.off("unhandledRejection", note);
    expect(outcome.error).toMatchObject({ code: "RUN_FAILED", data: { code: "SECRET_UNAVAILABLE" } });
    expect(unhandled).toEqual([]);
    await harness.stepwell.stop();
  });

  test("concealing changes nothing else: dates stay dates, a cycle stays an error of the step, and the process lives", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const refuse = (): never => {
      throw new Error("a getter exploded");
    };
    const harness = await open({
      date: () => ({ at: new Date(0) }),
      map: () => new Map([["a", 1]]),
      cycle: () => cycle,
      getter: () => Object.defineProperty({}, "value", { get: refuse, enumerable: true }),
    });
    const token = { secret: "TOKEN" };
    const steps = Object.fromEntries(
      ["date", "map", "cycle", "getter"].map((uses) => [uses, { uses, with: { token }, onError: "continue" }]),
    );
    const id = await harness.start({ name: "unchanged", secrets, steps });
    const late = new Promise((resolve) => void systemClock.setTimer(2_000, () => resolve(undefined)));
    await Promise.race([harness.stepwell.result(id), late]);
    const run = await harness.stepwell.get(id);
    process.off("unhandledRejection", note);
    await harness.stepwell.stop();
    expect(unhandled).toEqual([]);
    expect(run?.steps.map(({ output, error }) => error?.code ?? output)).toEqual([
      { at: "1970-01-01T00:00:00.000Z" },
      "VALUE_NOT_JSON",
      "VALUE_NOT_JSON",
      "STEP_FAILED",
    ]);
  });

  test("an empty secret conceals nothing, and one secret within another does not uncover the rest of it", async () => {
    await writeFile(join(directory, "empty"), "\n");
    await writeFile(join(directory, "longer"), `${CANARY}-and-the-rest`);
    const harness = await open({ echo: (input) => input });
    const sources = { ...secrets, EMPTY: { file: join(directory, "empty") }, LONGER: { file: join(directory, "longer") } };
    const steps = {
      empty: { uses: "echo", with: { plain: "text", token: { secret: "EMPTY" } }, onError: "continue" },
      nested: { uses: "echo", with: { short: { secret: "TOKEN" }, long: { secret: "LONGER" } } },
    };
    const id = await harness.start({ name: "overlapping", secrets: sources, steps });
    await harness.stepwell.result(id);
    const run = await harness.stepwell.get(id);
    await harness.stepwell.stop();
    const [empty, nested] = run?.steps ?? [];
    // an empty secret is either taken as it is or refused as unavailable
    expect([{ plain: "text", token: "" }, null]).toContainEqual(empty?.output);
    expect(JSON.stringify(nested?.output)).not.toContain("and-the-rest");
  });

  test("an operator that throws or returns its secret does not put it into the ledger", async () => {
    const harness = await open({
      blurt: (input) => {
        throw new Error(`refused: ${JSON.stringify(input)}`);
      },
    });
    const input = { token: { secret: "TOKEN" } };
    const steps = { thrown: { uses: "blurt", with: input, onError: "continue" }, returned: { uses: "transform", with: input } };
    const id = await harness.start({ name: "careless", secrets, steps });
    await harness.stepwell.result(id);
    const told = JSON.stringify([harness.events, await harness.stepwell.get(id)]);
    await harness.stepwell.stop();
    expect(told).not.toContain(CANARY);
    expect(await ledgerText()).not.toContain(CANARY);
  });
});
