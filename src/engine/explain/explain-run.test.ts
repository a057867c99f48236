import { describe, expect, test } from "vitest";
import type { RunTurn } from "../../ledger/claims.ts";
import type { InboxRow, RunRow, StepRow, TaskRow, WaitRow } from "../../ledger/rows.ts";
import { compileDefinition } from "../../workflow/index.ts";
import { explainRun } from "./explain-run.ts";
import type { RunStanding } from "./standing.ts";

const NOW = Date.parse("2026-11-28T08:00:00.000Z");
const LATER = NOW + 90_000;

const RUN: RunRow = {
  id: 1,
  publicId: "run-1",
  tenant: "default",
  versionId: 1,
  workflow: "w",
  version: null,
  status: "SUSPENDED",
  reason: "timer",
  input: "{}",
  output: null,
  error: null,
  labels: null,
  initiator: "api",
  trigger: "call",
  environment: "test",
  idempotencyKey: null,
  parentRunId: null,
  parentStep: null,
  parentOrdinal: null,
  depth: 0,
  rootRunId: null,
  forkedFrom: null,
  forkedAtStep: null,
  ownerEpoch: null,
  inboxSeq: 0,
  revision: 1,
  crashes: 0,
  pausedBy: null,
  workerGroup: "default",
  admission: null,
  slots: null,
  deadlineAt: null,
  createdAt: NOW - 60_000,
  startedAt: NOW - 60_000,
  finishedAt: null,
};

const STEP: StepRow = {
  runId: 1,
  ordinal: 0,
  kind: "step",
  path: null,
  uses: null,
  parent: null,
  status: "SUSPENDED",
  reason: null,
  attempt: 1,
  failures: 0,
  input: null,
  output: null,
  error: null,
  selected: null,
  idempotencyKey: null,
  revision: 1,
  startedAt: NOW - 30_000,
  attemptStartedAt: NOW - 30_000,
  finishedAt: null,
};

const WAIT: WaitRow = { runId: 1, ordinal: 0, kind: "timer", key: null, dueAt: null, childRunId: null, detail: null, since: NOW };

const INBOX: InboxRow = {
  id: 1,
  runId: 1,
  seq: 1,
  kind: "event",
  name: null,
  ordinal: 0,
  signalId: null,
  payload: null,
  actor: "api",
  acceptedAt: NOW,
  consumedAt: null,
};

const TASK: TaskRow = {
  id: 1,
  publicId: "task-1",
  tenant: "default",
  runId: 1,
  ordinal: 0,
  run: "run-1",
  step: "a",
  type: "approval",
  topic: null,
  title: "Order 7",
  description: null,
  form: null,
  assignees: ["ana"],
  groups: ["finance"],
  payload: null,
  onReject: "fail",
  maxAttempts: 1,
  retryDelayMs: 0,
  leaseMs: 0,
  status: "READY",
  attempt: 0,
  failures: 0,
  leaseToken: null,
  worker: null,
  leaseUntil: null,
  availableAt: null,
  expiresAt: null,
  createdAt: NOW,
  closedAt: null,
  decidedBy: null,
  decision: null,
  error: null,
  revision: 1,
};
const WORK: TaskRow = { ...TASK, type: "work", topic: "packing", title: null };

const TWO_STEPS = {
  a: { uses: "act", retry: { maxAttempts: 3 }, compensate: { uses: "undo", retry: { maxAttempts: 5 } } },
  b: { uses: "act", needs: ["a"] },
};
const FOREACH = { a: { foreach: [1, 2, 3, 4], steps: { x: { uses: "act" }, y: { uses: "act", needs: ["x"] } } } };
const LOOP = { a: { loop: { while: "round < 9", maxIterations: 5, delay: "1m" }, steps: [{ id: "x", uses: "act" }] } };

const TURN: RunTurn = { workerGroup: "gpu", isServed: true, ahead: 3, notBefore: null, limiter: null };
const LIMITER = { name: '["order","concurrency",1,"c7"]', limitedTo: 4, periodMs: null, openAt: 0 };

interface Given {
  readonly definition?: object;
  readonly run?: Partial<RunRow>;
  readonly rows?: readonly Partial<StepRow>[];
  readonly wait?: Partial<WaitRow>;
  readonly sent?: readonly Partial<InboxRow>[];
  readonly task?: TaskRow;
  readonly turn?: Partial<RunTurn>;
}

async function standing({ definition = TWO_STEPS, run = {}, rows = [{}], wait, sent = [], task, turn }: Given): Promise<RunStanding> {
  const { graph, problems } = await compileDefinition({ name: "w", steps: JSON.parse(JSON.stringify(definition)) }, { operators: null });
  if (graph === undefined) throw new Error(JSON.stringify(problems));
  return {
    run: { ...RUN, ...run },
    graph,
    steps: rows.map((row) => ({ ...STEP, ...row })),
    waits: wait === undefined ? [] : [{ ...WAIT, ...wait }],
    inbox: sent.map((row) => ({ ...INBOX, ...row })),
    tasks: new Map(task === undefined ? [] : [["task-1", task]]),
    children: new Map([["child-1", { ...RUN, publicId: "child-1", reason: "signal" }]]),
    turn: turn === undefined ? undefined : { ...TURN, ...turn },
    now: NOW,
  };
}

const EVENTS = JSON.stringify({
  mode: "all",
  events: [
    { event: "paid", where: { id: 7 }, optional: false },
    { event: "shipped", where: {}, optional: false },
    { event: "rated", where: {}, optional: true },
  ],
});

const CASES: readonly (readonly [what: string, given: Given, says: string])[] = [
  ["a step whose turn has not come", { rows: [] }, "is next, as soon as an engine has a place for it"],
  ["a run that waits for its turn", { rows: [], turn: {} }, "is in the queue; 3 stand before it"],
  ["the first of its partition", { rows: [], turn: { ahead: 0 } }, "is in the queue"],
  ["one behind more than anybody counts", { rows: [], turn: { ahead: 1_000 } }, "is in the queue; 1000 or more stand before it"],
  [
    "a full limit",
    { rows: [], turn: { limiter: LIMITER } },
    'waits for its turn: concurrency[1] of "order" for "c7" lets 4 at once begin; 3 stand before it',
  ],
  [
    "a tenant's own limit",
    { rows: [], turn: { ahead: 0, limiter: { ...LIMITER, name: '[null,"tenant"]' } } },
    "waits for its turn: what the tenant may have at once lets 4 at once begin",
  ],
  [
    "a rate",
    { rows: [], turn: { ahead: 0, limiter: { ...LIMITER, name: '["order","rateLimit",0]', periodMs: 60_000, openAt: LATER } } },
    'waits for its turn: rateLimit[0] of "order" lets 4 in 1 m begin at 2026-11-28T08:01:30.000Z, in 1 m 30 s',
  ],
  [
    "starts that are collected",
    { rows: [], turn: { ahead: null, notBefore: LATER } },
    "begins at 2026-11-28T08:01:30.000Z, in 1 m 30 s: starts are collected until then",
  ],
  ["S1-39 a group that nobody serves", { rows: [], turn: { isServed: false } }, 'waits for a worker that serves the group "gpu"'],
  [
    "a signal that has come for a run that waits for its turn",
    { wait: { kind: "signal", key: "go" }, sent: [{ kind: "signal", name: "go", ordinal: null }], turn: { ahead: 1 } },
    "is in the queue; 1 stand before it",
  ],
  [
    "a ready step of a paused run that waited for its turn",
    { rows: [], run: { pausedBy: "ana" }, turn: {} },
    "is held, because ana paused the run",
  ],
  ["a run of which admission has not heard yet", { rows: [], turn: { ahead: null, notBefore: NOW } }, "is in the queue"],
  ["a ready step of a paused run", { rows: [], run: { pausedBy: "ana" } }, "is held, because ana paused the run"],
  ["a running step", { rows: [{ status: "RUNNING", attempt: 2 }] }, "runs for 30.0 s, attempt 2 of 3"],
  [
    "a running step that was never tried",
    { rows: [{ status: "RUNNING", startedAt: null, attemptStartedAt: null }] },
    "runs, attempt 1 of 3",
  ],
  ["a timer", { wait: { dueAt: LATER } }, "sleeps until 2026-11-28T08:01:30.000Z, in 1 m 30 s"],
  ["a timer that is due", { wait: { dueAt: NOW } }, "sleeps until 2026-11-28T08:00:00.000Z, which is now"],
  [
    "a retry",
    { rows: [{ error: '{"code":"HTTP_NETWORK","message":"x"}' }], wait: { kind: "retry", dueAt: LATER } },
    "begins attempt 2 of 3 at 2026-11-28T08:01:30.000Z, in 1 m 30 s, after HTTP_NETWORK",
  ],
  ["a missing operator", { rows: [], wait: { kind: "no_worker", key: "act" } }, 'waits for a worker that knows operator "act"'],
  [
    "a quarantined step",
    { rows: [{ reason: "quarantined" }] },
    "is held until a person looks, because its worker died with it several times",
  ],
  ["a signal", { wait: { kind: "signal", key: "go" } }, 'waits for signal "go"'],
  [
    "a signal that has come",
    { wait: { kind: "signal", key: "go" }, sent: [{ kind: "signal", name: "go", ordinal: null }] },
    "goes on, as soon as an engine has a place for it: what it waited for has come",
  ],
  [
    "a signal of another name",
    { wait: { kind: "signal", key: "go" }, sent: [{ kind: "signal", name: "other", ordinal: null }] },
    'waits for signal "go"',
  ],
  [
    "a wake that the operator has not seen",
    { wait: { kind: "resume" } },
    "goes on, as soon as an engine has a place for it: what it waited for has come",
  ],
  [
    "several events",
    { wait: { kind: "event", detail: EVENTS } },
    'waits for the events "paid" with id = 7, "shipped" and "rated" (optional)',
  ],
  [
    "several events of which one has come",
    { wait: { kind: "event", detail: EVENTS }, sent: [{ payload: '{"member":0}' }] },
    'waits for the events "shipped" and "rated" (optional) (1 of 3 have come)',
  ],
  [
    "any of several events",
    { wait: { kind: "event", detail: EVENTS.replace("all", "any") } },
    'waits for one of the events "paid" with id = 7, "shipped" and "rated" (optional)',
  ],
  [
    "an event",
    { wait: { kind: "event", detail: '{"mode":"any","events":[{"event":"paid","where":{"id":"A-7"}}]}', dueAt: LATER } },
    'waits for event "paid" with id = "A-7" until 2026-11-28T08:01:30.000Z, in 1 m 30 s',
  ],
  [
    "a person",
    { wait: { kind: "task", key: "task-1", dueAt: LATER }, task: TASK },
    'waits until ana or group finance decides on "Order 7" (task task-1), at most until 2026-11-28T08:01:30.000Z, in 1 m 30 s',
  ],
  [
    "anybody",
    { wait: { kind: "task", key: "task-1" }, task: { ...TASK, assignees: [], groups: [] } },
    'waits until somebody decides on "Order 7" (task task-1)',
  ],
  ["work nobody has", { wait: { kind: "task", key: "task-1" }, task: WORK }, 'waits for a worker on topic "packing" (task task-1)'],
  [
    "work a worker has",
    { wait: { kind: "task", key: "task-1" }, task: { ...WORK, status: "CLAIMED", worker: "w1", leaseUntil: LATER } },
    'waits for worker "w1" on topic "packing" (task task-1), whose lease ends at 2026-11-28T08:01:30.000Z, in 1 m 30 s',
  ],
  [
    "work that waits for its retry",
    { wait: { kind: "task", key: "task-1" }, task: { ...WORK, status: "RETRY_WAIT", availableAt: LATER } },
    'waits for a worker on topic "packing" (task task-1), which is given out again at 2026-11-28T08:01:30.000Z, in 1 m 30 s',
  ],
  [
    "a dead letter",
    { wait: { kind: "task", key: "task-1" }, task: { ...WORK, status: "DEAD_LETTER" } },
    'waits for somebody to restore the dead letter of topic "packing" (task task-1)',
  ],
  ["a child", { wait: { kind: "child", key: "child-1" } }, "waits for run child-1, which is SUSPENDED: a step waits for a signal"],
  ["a child that cannot be read", { wait: { kind: "child", key: "gone" } }, "waits for run gone"],
  [
    "items",
    {
      definition: FOREACH,
      rows: [
        { kind: "block", reason: "steps", input: "[1,2,3,4]" },
        { ordinal: 1, kind: "item", path: "a[0]", parent: 0, status: "SUCCEEDED", finishedAt: NOW },
        { ordinal: 4, kind: "item", path: "a[1]", parent: 0, status: "FAILED", finishedAt: NOW },
        { ordinal: 7, kind: "item", path: "a[2]", parent: 0 },
      ],
    },
    "waits for its items: 2 of 4 done, 1 failed, 1 open",
  ],
  [
    "a round",
    {
      definition: LOOP,
      rows: [
        { kind: "block", reason: "steps" },
        { ordinal: 7, kind: "round", path: "a[3]", parent: 0 },
      ],
    },
    "is in round 4 of at most 5",
  ],
  [
    "the time between two rounds",
    {
      definition: LOOP,
      rows: [{ kind: "block" }, { ordinal: 1, kind: "round", path: "a[0]", parent: 0, status: "SUCCEEDED", finishedAt: NOW }],
      wait: { kind: "delay", dueAt: LATER },
    },
    "begins round 2 of at most 5 at 2026-11-28T08:01:30.000Z, in 1 m 30 s",
  ],
];

describe("what a step waits for", () => {
  test.each(CASES)("%s", async (_what, given, says) => {
    const { steps } = explainRun(await standing(given));
    expect(steps[0]).toMatchObject({ step: "a", says });
  });

  test("other steps, by name", async () => {
    const { steps } = explainRun(await standing({ wait: { dueAt: LATER } }));
    expect(steps).toMatchObject([{}, { step: "b", status: "PENDING", waitsFor: { kind: "needs", steps: ["a"] }, says: "waits for a" }]);
  });

  test("steps inside an open item stand behind their block, by their path", async () => {
    const rows = [
      { kind: "block", reason: "steps", input: "[1]" },
      { ordinal: 1, kind: "item", path: "a[0]", parent: 0 },
      { ordinal: 2, path: "a[0].x", uses: "act", parent: 1 },
    ] as const;
    const { steps } = explainRun(await standing({ definition: FOREACH, rows, wait: { ordinal: 2, kind: "signal", key: "go" } }));
    expect(steps.map(({ step, says }) => `${step} ${says}`)).toStrictEqual([
      "a waits for its items: 0 of 1 done, 1 open",
      'a[0].x waits for signal "go"',
      "a[0].y waits for x",
    ]);
  });

  test("a compensation, with its own attempts", async () => {
    const rows = [
      { status: "SUCCEEDED", finishedAt: NOW },
      { ordinal: 1, status: "FAILED", finishedAt: NOW },
      { ordinal: 3, kind: "compensation", path: "compensate.a", status: "RUNNING", attempt: 2 },
    ] as const;
    const { steps, says } = explainRun(await standing({ rows, run: { status: "RUNNING", reason: "compensating" } }));
    expect(steps).toMatchObject([{ step: "compensate.a", says: "runs for 30.0 s, attempt 2 of 5" }]);
    expect(says).toBe("Running for 1 m: what the run did is being undone; one step has not finished");
  });
});

test.each([
  [{ status: "QUEUED" }, "In the queue: it starts as soon as an engine has a place for it"],
  [{ status: "RUNNING", reason: null }, "Running for 1 m; 2 steps have not finished"],
  [{}, "Suspended: a step waits for a time"],
  [{ pausedBy: "ana" }, "Paused by ana: nothing starts, and no wait ends, until somebody resumes it"],
  [{ status: "SUCCEEDED", reason: null, finishedAt: NOW }, "Ended SUCCEEDED at 2026-11-28T08:00:00.000Z"],
  [
    { status: "FAILED", reason: "step_failed", finishedAt: NOW, error: '{"code":"RUN_FAILED","message":"step a failed"}' },
    "Ended FAILED at 2026-11-28T08:00:00.000Z: a step failed and its `onError` is `fail`; step a failed",
  ],
] as const)("a run that is %j", async (run, says) => {
  const explanation = explainRun(await standing({ run }));
  expect(explanation.says).toBe(says);
  expect(explanation.steps.length > 0).toBe(!("finishedAt" in run));
});

test("a thousand steps are explained, and the others counted", async () => {
  const definition = Object.fromEntries(Array.from({ length: 1_002 }, (_, index) => [`s${index}`, { uses: "act" }]));
  const { steps, more } = explainRun(await standing({ definition, rows: [] }));
  expect([steps.length, more]).toStrictEqual([1_000, 2]);
});
