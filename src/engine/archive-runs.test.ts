import { describe, expect, test } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import type { Ledger } from "../ledger/port.ts";
import { StepwellError } from "../model/errors.ts";
import { retentionPolicy } from "../model/retention.ts";
import { Harness, interposed } from "../testing/harness.ts";
import { FamilyArchive, type RunArchive } from "./archive-runs.ts";
import { Pace } from "./pace.ts";
import { pruneRuns } from "./prune-runs.ts";
import { systemClock } from "./system-clock.ts";

const TENANT = "default";
const CHILD = { name: "child", input: { n: "{{ item }}" } };
const INPUT = { items: [1, 2] };
const QUERY = { tenant: TENANT, policy: retentionPolicy({ runs: 0 }) };
/** Nothing rests here: what is shown is an order, not a speed. */
const RESTLESS = { ...systemClock, monotonic: () => 0, setTimer: (_ms: number, callback: () => void) => systemClock.setTimer(0, callback) };

/** Keeps lines in memory, and those alone that were flushed. */
class KeptLines implements RunArchive {
  readonly durable: string[] = [];
  readonly calls: string[] = [];
  onFlush: () => Promise<void> = async () => undefined;
  readonly #written: string[] = [];

  async write(line: Iterable<string>): Promise<void> {
    this.calls.push("write");
    this.#written.push([...line].join(""));
  }

  async flush(): Promise<void> {
    this.calls.push("flush");
    await this.onFlush();
    this.durable.push(...this.#written.splice(0));
  }

  async close(): Promise<void> {
    this.calls.push("close");
  }
}

async function prune(ledger: Ledger, kept: RunArchive) {
  const archive = new FamilyArchive(ledger, TENANT, kept, new Pace(RESTLESS, true, 1));
  const sum = { runs: 0, damaged: new Map<string, string>() };
  const pace = new Pace(RESTLESS, true);
  for await (const { runs, damaged } of pruneRuns({ retention: ledger.retention, query: QUERY, pace, limit: 99, archive })) {
    sum.runs += runs;
    if (damaged !== undefined) sum.damaged.set(damaged.root.publicId, damaged.error.code);
  }
  return sum;
}

/** A family of three, of which the parent was asked, approved and tried twice, and a run alone. */
async function ended(harness: Harness): Promise<{ readonly parent: string; readonly alone: string }> {
  const { stepwell } = harness;
  await stepwell.register({ name: "child", steps: [{ id: "say", uses: "transform", with: "{{ input.n }}" }] });
  const parent = await harness.start(
    {
      name: "parent",
      steps: [
        { id: "try", uses: "second", retry: { maxAttempts: 2, initialDelay: 1 } },
        { id: "go", uses: "wait", with: { signal: "go" } },
        { id: "each", foreach: "{{ input.items }}", steps: [{ id: "call", uses: "workflow", with: CHILD }] },
        { id: "ok", uses: "approval", with: { title: "Fine?" } },
      ],
    },
    INPUT,
  );
  await stepwell.signal(parent, "go", { yes: true });
  await harness.event((event) => event.type === "step.suspended" && event.step === "ok");
  const task = await harness.openTask(parent);
  await (await stepwell.tasks()).approve(task, { by: "ann" });
  await stepwell.result(parent);
  return { parent, alone: (await harness.run({ name: "alone", steps: [{ uses: "transform", with: 1 }], output: 7 })).id };
}

describe("an archive", () => {
  const operators = () => {
    let calls = 0;
    return {
      second: () => {
        calls += 1;
        if (calls === 1) throw new Error("not yet");
        return "done";
      },
    };
  };

  test("has every run, with all that was known of it, before any of them is deleted", async () => {
    const ledger = openMemoryLedger();
    const harness = new Harness(ledger, { operators: operators() });
    const { parent, alone } = await ended(harness);
    const kept = new KeptLines();
    kept.onFlush = async () => {
      for (const id of [parent, alone]) await expect(ledger.getRun(TENANT, id)).resolves.toMatchObject({ publicId: id });
    };
    const shown = await harness.stepwell.get(parent);
    await expect(prune(ledger, kept)).resolves.toEqual({ runs: 4, damaged: new Map() });
    expect(kept.calls).toEqual(["write", "write", "write", "write", "flush", "close"]);
    for (const id of [parent, alone]) await expect(ledger.getRun(TENANT, id)).resolves.toBeUndefined();
    const lines: unknown[] = kept.durable.map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      {
        ...shown,
        input: INPUT,
        parent: null,
        attempts: [{ step: "try", attempt: 1, status: "FAILED", error: { message: "not yet" } }],
        signals: expect.arrayContaining([
          expect.objectContaining({ kind: "signal", name: "go", payload: { yes: true }, actor: "api" }),
          expect.objectContaining({ kind: "child" }),
          expect.objectContaining({ kind: "task", actor: "ann" }),
        ]),
        tasks: [{ title: "Fine?", status: "DONE", decidedBy: "ann", step: "ok" }],
      },
      { workflow: "child", parent: { run: parent, step: "each[1].call" }, steps: [{ id: "say", output: 2 }] },
      { workflow: "child", parent: { run: parent, step: "each[0].call" }, steps: [{ id: "say", output: 1 }] },
      { id: alone, workflow: "alone", output: 7, signals: [], tasks: [] },
    ]);
    await harness.stepwell.stop();
  });

  test("that cannot be written keeps everything from being deleted", async () => {
    const ledger = openMemoryLedger();
    const harness = new Harness(ledger, { operators: operators() });
    const { parent, alone } = await ended(harness);
    const kept = new KeptLines();
    kept.onFlush = async () => {
      throw new StepwellError("ARCHIVE_UNAVAILABLE", "the disk is full");
    };
    await expect(prune(ledger, kept)).rejects.toMatchObject({ code: "ARCHIVE_UNAVAILABLE" });
    expect(kept.calls.at(-1)).toBe("close");
    for (const id of [parent, alone]) await expect(harness.stepwell.get(id)).resolves.toMatchObject({ status: "SUCCEEDED" });
    await harness.stepwell.stop();
  });

  test("P25 that cannot read a run leaves it and its family, and takes the others", async () => {
    const ledger = openMemoryLedger();
    const harness = new Harness(ledger, { operators: operators() });
    const { parent, alone } = await ended(harness);
    const damaged = interposed(ledger, {
      listSteps: async (tenant, publicId) => {
        const run = await ledger.getRun(tenant, publicId);
        if (run?.parentStep === "each[1].call") throw new StepwellError("LEDGER_CORRUPT", "an output is damaged");
        return ledger.listSteps(tenant, publicId);
      },
    });
    const kept = new KeptLines();
    await expect(prune(damaged, kept)).resolves.toEqual({ runs: 1, damaged: new Map([[parent, "LEDGER_CORRUPT"]]) });
    await expect(harness.stepwell.get(parent)).resolves.toMatchObject({ status: "SUCCEEDED" });
    await expect(harness.stepwell.get(alone)).resolves.toBeUndefined();
    await harness.stepwell.stop();
  });
});
