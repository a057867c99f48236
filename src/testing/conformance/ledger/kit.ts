import { afterEach, beforeEach, expect } from "vitest";
import type { Ledger, Ownership } from "../../../ledger/port.ts";
import type { RunRow, StepRow, VersionRow } from "../../../ledger/rows.ts";
import type { CommitOutcome, InsertRun, Unit } from "../../../ledger/writes.ts";
import { StepwellError } from "../../../model/errors.ts";
import { aVersion, insertRun, insertStep, parked, unit } from "./builders.ts";

/** A clock that stands still until a test moves it, in either direction. */
export class ManualTime {
  /** Threads may read it too. */
  readonly shared = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));

  constructor() {
    this.time = 1_700_000_000_000;
  }

  get time(): number {
    return this.shared[0] ?? 0;
  }

  set time(time: number) {
    this.shared[0] = time;
  }

  now(): number {
    return this.time;
  }
}

/** One fresh ledger for one test. */
export interface LedgerHarness {
  readonly ledger: Ledger;
  /** Where it is stored; undefined when not in a file. */
  readonly file: string | undefined;
  /** Opens the same ledger once more. A backend that cannot be shared rejects with `NOT_SUPPORTED`. */
  readonly again: () => Promise<Ledger>;
  /** Messages that the ledger gave about its clock. */
  readonly warnings: readonly string[];
  readonly dispose: () => Promise<void>;
}

/** Makes a fresh ledger whose time comes from `clock`. */
export type MakeLedger = (clock: ManualTime) => Promise<LedgerHarness>;

export const WORKER = { name: "engine-1", host: "host-1", pid: 4_711, version: "0.1.0", groups: null } as const;

/** A ledger with an owner and one version of a workflow with the steps `first`, `second` and `third`. */
export interface LedgerCase extends LedgerHarness {
  readonly clock: ManualTime;
  readonly owner: Ownership;
  readonly version: VersionRow;
}

/** Gives every test of the surrounding `describe` a case of its own. */
export function eachCase(make: MakeLedger): () => LedgerCase {
  let current: LedgerCase | undefined;
  beforeEach(async () => {
    const clock = new ManualTime();
    const harness = await make(clock);
    const owner = await harness.ledger.own(WORKER);
    current = { ...harness, clock, owner, version: await harness.ledger.putVersion(aVersion()) };
  });
  afterEach(async () => {
    await current?.dispose();
    current = undefined;
  });
  return () => {
    if (current === undefined) throw new Error("a case exists only while a test runs");
    return current;
  };
}

export function commit({ ledger, owner }: LedgerCase, ...units: readonly Unit[]): Promise<CommitOutcome> {
  return ledger.commit({ epoch: owner.epoch, units });
}

/** Commits `{run RUNNING, its first step RUNNING}` and gives the run's internal id. */
export async function startedRun(fixture: LedgerCase, change: Partial<InsertRun> = {}): Promise<number> {
  const runId = await fixture.ledger.reserveRunIds(1);
  const writes = [insertRun(fixture.version.id, runId, { ownerEpoch: fixture.owner.epoch, ...change }), insertStep(runId, 0)];
  await commit(fixture, unit(runId, writes, null));
  return runId;
}

/** A started run that waits in its first step and that nobody has. */
export async function parkedRun(fixture: LedgerCase, dueInMs: number | null): Promise<number> {
  const runId = await startedRun(fixture);
  await commit(fixture, unit(runId, parked(runId, { dueInMs })));
  return runId;
}

export async function runOf({ ledger }: LedgerCase, runId: number): Promise<RunRow> {
  const stored = await ledger.loadRun(runId);
  if (stored === undefined) throw new Error(`run ${runId} is not stored`);
  return stored.run;
}

export async function stepOf({ ledger }: LedgerCase, runId: number, ordinal: number): Promise<StepRow | undefined> {
  return (await ledger.loadRun(runId))?.steps.find((step) => step.ordinal === ordinal);
}

/** The coded error that a call ends with; the test fails when it ends well. */
export async function refusal(call: Promise<unknown>): Promise<StepwellError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StepwellError);
  if (error instanceof StepwellError) return error;
  throw error;
}

/** The same ledger opened once more, or undefined after the backend said, with its code, that it cannot be. */
export async function openedAgain(fixture: LedgerCase): Promise<Ledger | undefined> {
  try {
    return await fixture.again();
  } catch (error) {
    expect(error).toMatchObject({ code: "NOT_SUPPORTED" });
    return undefined;
  }
}
