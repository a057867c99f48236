import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedDatabase } from "../../test/fixtures/postgres/file-database.ts";
import { StepwellError } from "../model/errors.ts";
import { memoryLedgers, postgresLedgers, sqliteLedgers } from "../testing/conformance/ledger/backends.ts";
import {
  APPROVAL,
  aVersion,
  endRun,
  insertRun,
  insertStep,
  insertSubscription,
  insertTask,
  insertWait,
  postInbox,
  settleStep,
  TENANT,
  unit,
  WORK,
} from "../testing/conformance/ledger/builders.ts";
import { type LedgerHarness, type MakeLedger, ManualTime, WORKER } from "../testing/conformance/ledger/kit.ts";
import type { Ledger } from "./port.ts";
import { asks } from "./queued-run.ts";
import type { Unit, Write } from "./writes.ts";

const RUNS = 3;
const payload = fc.constantFrom(null, "1", '{"a":"é"}', '"x"');
const error = fc.constantFrom(null, '{"code":"A"}');
const ordinal = fc.nat(2);
const attempt = fc.nat(3);
const revision = fc.integer({ min: 1, max: 9 });
const delay = fc.constantFrom(null, 0, 10);
const stepEnd = fc.constantFrom("SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED");
const runEnd = fc.constantFrom("SUCCEEDED", "FAILED", "CANCELLED");
const stepReason = fc.constantFrom(null, "retry", "branch");

const slots = fc.constantFrom(null, 0, 1, 2);
const limiter = (id: string, limit: number, onLimit: string, periodMs: number | null = null) => ({
  id,
  limit,
  periodMs,
  onLimit,
  holds: "activity",
});
const admission = fc
  .constantFrom(
    null,
    [],
    [limiter("one", 1, "queue")],
    [limiter("one", 1, "cancel-running"), limiter("two", 2, "reject")],
    [limiter("rate", 2, "queue", 30), limiter("two", 2, "queue")],
  )
  .map((limiters) => (limiters === null ? null : JSON.stringify({ priorityMs: 0, limiters, gather: null })));
const run = fc.nat(RUNS - 1);
const fields = { runId: run, revision };
const step = { ...fields, ordinal };
const of = <K extends Write["write"]>(kind: K) => fc.constant(kind);

/** Any write, legal or not; `runId` is the run's number within the case. */
const anyWrite: fc.Arbitrary<Write> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({ runId: run, status: fc.constantFrom("QUEUED", "RUNNING"), revision, deadlineInMs: delay, slots, admission })
      .map((change) => insertRun(0, change.runId, change)),
  },
  fc.record({
    write: of("startRun"),
    ...fields,
    reason: fc.constantFrom(null, "recovered"),
    ownerEpoch: fc.nat(2),
    crashes: fc.nat(3),
    deadlineInMs: fc.constantFrom(null, 500),
  }),
  fc.record({
    write: of("suspendRun"),
    ...fields,
    reason: fc.constant("retry"),
    ownerEpoch: fc.constantFrom(null, 1),
    crashes: fc.nat(3),
    slots,
  }),
  fc.record({ write: of("requeueRun"), runId: run }),
  fc.record({ write: of("insertNote"), runId: run, note: fc.constantFrom("asks", "parked", "ended"), dueInMs: fc.constantFrom(0, 10) }),
  fc.record({ ...fields, status: runEnd, output: payload, error }).map((change) => endRun(change.runId, change)),
  {
    weight: 4,
    arbitrary: fc
      .record({
        ...step,
        status: fc.oneof(stepEnd, fc.constantFrom("RUNNING", "SUSPENDED")),
        attempt,
        reason: stepReason,
        input: payload,
        selected: payload,
        output: payload,
      })
      .map((change) => insertStep(change.runId, change.ordinal, change)),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ ...step, status: stepEnd, output: payload, error })
      .map((change) => settleStep(change.runId, change.ordinal, change)),
  },
  fc.record({ write: of("restartStep"), ...step, reason: stepReason, attempt }),
  fc.record({ write: of("resumeStep"), ...step }),
  fc.record({ write: of("suspendStep"), ...step, reason: fc.constant("retry"), failures: fc.nat(3), output: payload, error }),
  fc.record({ write: of("insertAttempt"), ...step, attempt, status: fc.constantFrom("FAILED", "LOST", "DISCARDED"), error }),
  fc.record({ write: of("insertEvent"), ...fields, event: fc.constant("note"), detail: payload, actor: fc.constant("ann") }),
  fc
    .record({ ...step, kind: fc.constantFrom("retry", "signal"), key: fc.constantFrom(null, "go"), dueInMs: delay, detail: payload })
    .map(({ runId, ordinal: at, ...change }) => insertWait(runId, at, change)),
  fc.record({ write: of("resumeStep"), ...step }),
  fc.record({ write: of("pauseRun"), ...fields, pausedBy: fc.constantFrom(null, "ann") }),
  fc
    .record({ ...step, member: fc.nat(1), mode: fc.constantFrom("any", "all"), where: fc.constantFrom({}, { a: 1 }, { b: "x", a: 1 }) })
    .map(({ runId, ordinal: at, ...change }) => insertSubscription(runId, at, change)),
  fc.record({ write: of("deleteSubscriptions"), runId: run, ordinal }),
  fc
    .record({ ...step, task: fc.constantFrom(APPROVAL, WORK), expiresInMs: delay })
    .map((change) => insertTask(change.runId, change.ordinal, change)),
  fc.record({ write: of("closeTask"), runId: run, ordinal, status: fc.constantFrom("CANCELLED", "EXPIRED") }),
  fc.record({ runId: run, targetRunId: run, payload }).map((change) => postInbox(change.runId, change.targetRunId, change)),
  fc.record({ write: of("deleteWait"), runId: run, ordinal }),
  fc.record({ write: of("consumeInbox"), runId: run, seq: fc.nat(3) }),
);

interface Place {
  readonly first: number;
  readonly versionId: number;
  readonly epoch: number;
}

const anyUnit = fc.record({ runId: run, writes: fc.array(anyWrite, { minLength: 1, maxLength: 3 }), seen: fc.constantFrom(null, 0, 1, 2) });
const anyAction = fc.oneof(
  { weight: 8, arbitrary: fc.record({ units: fc.array(anyUnit, { minLength: 1, maxLength: 3 }) }) },
  fc.record({ signalled: run, signalId: fc.constantFrom(null, "a", "b") }),
  fc.record({ event: fc.constantFrom("e1", "e2", "e3"), data: fc.constantFrom(1, { a: 1 }, { b: "x", a: 1 }, { a: "1" }) }),
  fc.record({ reopened: run }),
  { weight: 3, arbitrary: fc.record({ asking: run, admission }) },
  { weight: 3, arbitrary: fc.record({ admits: fc.integer({ min: 1, max: 4 }) }) },
  fc.record({
    task: run,
    at: ordinal,
    verb: fc.constantFrom("decide", "poll", "heartbeat", "complete", "fail", "restore"),
    isRetryable: fc.boolean(),
  }),
  fc.record({ passes: fc.integer({ min: -5, max: 20 }) }),
);
type Action = typeof anyAction extends fc.Arbitrary<infer A> ? A : never;

/** A unit of the case as a unit of its place in the ledger; all its writes are of its run. */
function placed(
  { first, versionId, epoch }: Place,
  { runId, writes, seen }: typeof anyUnit extends fc.Arbitrary<infer U> ? U : never,
): Unit {
  const id = first + runId;
  const tenant = `tenant-${first}`;
  // who has a run matters only where there may be several
  const owned = (write: Write): Write => ("ownerEpoch" in write && write.ownerEpoch !== null ? { ...write, ownerEpoch: epoch } : write);
  const move = (write: Write): Write => {
    switch (write.write) {
      case "insertRun":
        return { ...write, runId: id, publicId: `run-${id}`, versionId };
      case "postInbox":
        return { ...write, runId: id, targetRunId: first + write.targetRunId };
      case "insertSubscription":
        return { ...write, runId: id, tenant };
      case "insertTask":
        return { ...write, runId: id, tenant, publicId: `task-${id}-${write.ordinal}`, task: { ...write.task } };
      default:
        return { ...write, runId: id };
    }
  };
  return unit(id, writes.map(move).map(owned), seen);
}

async function act(ledger: Ledger, place: Place, action: Action): Promise<unknown> {
  if ("units" in action) return ledger.commit({ epoch: place.epoch, units: action.units.map((each) => placed(place, each)) });
  if ("passes" in action) return undefined;
  if ("admits" in action) return ledger.claims.admit(place.epoch, action.admits);
  if ("asking" in action) {
    const [runId, { admission: asked }] = [place.first + action.asking, action];
    const insert = insertRun(place.versionId, runId, { status: "QUEUED", ownerEpoch: null, slots: 2, admission: asked });
    return ledger.commit({ epoch: place.epoch, units: [unit(runId, [insert, asks(runId)], null)] });
  }
  if ("event" in action) {
    // Each case has a tenant of events for itself: what an earlier one left is not to be found.
    const tenant = `tenant-${place.first}`;
    return ledger.events.publish({ tenant, event: "paid", id: action.event, data: action.data, retainMs: 20 });
  }
  if ("reopened" in action) return ledger.reopenRun(TENANT, `run-${place.first + action.reopened}`, "ann");
  if ("task" in action) return actOnTask(ledger, place, action);
  const publicId = `run-${place.first + action.signalled}`;
  const sent =
    action.signalId === null ? ({ kind: "cancel" } as const) : ({ kind: "signal", name: "go", signalId: action.signalId } as const);
  return ledger.accept({ tenant: TENANT, publicId, payload: null, actor: "ann", ...sent });
}

function actOnTask(ledger: Ledger, { first }: Place, action: Extract<Action, { readonly task: number }>): Promise<unknown> {
  const tenant = `tenant-${first}`;
  const publicId = `task-${first + action.task}-${action.at}`;
  const lease = { tenant, publicId, token: "t" };
  switch (action.verb) {
    case "decide":
      return ledger.tasks.decide({ tenant, publicId, isApproved: action.isRetryable, actor: "ann", comment: null, form: 1 });
    case "poll":
      return ledger.tasks.poll({ tenant, topic: WORK.topic, worker: "w", token: "t", limit: 2 });
    case "heartbeat":
      return ledger.tasks.heartbeat(lease);
    case "complete":
      return ledger.tasks.complete(lease, 7);
    case "fail":
      return ledger.tasks.fail(lease, { error: { code: "A", message: "a" }, isRetryable: action.isRetryable });
    case "restore":
      return ledger.tasks.restore(tenant, publicId);
  }
}

/** What a call did, as far as a caller can tell. */
async function effectOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await call };
  } catch (reason) {
    if (reason instanceof StepwellError) return { code: reason.code, unit: reason.data?.["unit"] ?? null };
    throw reason;
  }
}

async function everythingOf(ledger: Ledger, first: number): Promise<unknown> {
  const runs: unknown[] = [];
  for (let id = first; id < first + RUNS; id++) {
    const publicId = `run-${id}`;
    runs.push([
      await ledger.loadRun(id),
      await ledger.getRun(TENANT, publicId),
      await ledger.listSteps(TENANT, publicId),
      await ledger.listAttempts(TENANT, publicId),
      await ledger.listHistory(TENANT, publicId),
    ]);
  }
  const waits = [];
  for (let id = first; id < first + RUNS; id++)
    waits.push(await ledger.waits.listWaits(TENANT, `run-${id}`), await ledger.waits.listSignals(TENANT, `run-${id}`));
  const page = await ledger.listRuns({ tenant: TENANT, limit: RUNS });
  const unfinished = await ledger.unfinished(first - 1, 9);
  const { tasks } = await ledger.tasks.list({ tenant: `tenant-${first}`, limit: 99 });
  // to look for what is to be done is to claim it where several engines share a ledger
  const claimable = ledger.isShared ? [] : await claimableOf(ledger, first);
  return { runs, waits, tasks, page, unfinished, claimable };
}

async function claimableOf({ claims }: Ledger, first: number): Promise<unknown> {
  const open = await claims.sent(0, 10_000);
  return [
    await claims.runs("left_behind", first - 1, 9),
    await claims.runs("no_worker", first - 1, 9),
    (await claims.due(undefined, 9_000)).filter(({ runId }) => runId >= first),
    open.filter(({ runId }) => runId >= first),
  ];
}

/** Without what a sequence numbers: those of a database have gaps where a transaction was undone. */
const withoutIds = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, part: unknown) => (key === "id" && typeof part === "number" ? "id" : part));

interface Agreement {
  readonly others: () => MakeLedger;
  readonly cases: number;
}

function describeAgreement(name: string, { others, cases }: Agreement): void {
  describe(`agreement of memory and ${name}`, () => {
    const clock = new ManualTime();
    const harnesses: LedgerHarness[] = [];
    let versionId = 0;
    const epochs: number[] = [];

    beforeAll(async () => {
      harnesses.push(await memoryLedgers(clock), await others()(clock));
      for (const { ledger } of harnesses) {
        epochs.push((await ledger.own(WORKER)).epoch);
        versionId = (await ledger.putVersion(aVersion())).id;
      }
    });

    afterAll(async () => {
      for (const harness of harnesses) await harness.dispose();
    });

    test(`S2-8 memory and ${name} answer every sequence of legal and illegal writes alike`, async () => {
      let first = 1;
      await fc.assert(
        fc.asyncProperty(fc.array(anyAction, { minLength: 1, maxLength: 12 }), async (actions) => {
          first += RUNS;
          for (const action of actions) {
            if ("passes" in action) clock.time += action.passes;
            const effects = [];
            for (const [index, { ledger }] of harnesses.entries())
              effects.push(withoutIds(await effectOf(act(ledger, { first, versionId, epoch: epochs[index] ?? 0 }, action))));
            expect(effects[1]).toEqual(effects[0]);
          }
          const [memory, other] = await Promise.all(harnesses.map(({ ledger }) => everythingOf(ledger, first)));
          if (harnesses.some(({ ledger }) => ledger.isShared))
            expect(withoutIds(other)).toEqual(withoutIds({ ...Object(memory), claimable: [] }));
          else expect(withoutIds(other)).toEqual(withoutIds(memory));
        }),
        { numRuns: cases },
      );
    });
  });
}

describeAgreement("SQLite", { others: () => sqliteLedgers, cases: 400 });

describe("in a database", () => {
  const ledgers = postgresLedgers(sharedDatabase());
  describeAgreement("PostgreSQL", { others: () => ledgers, cases: 60 });
});
