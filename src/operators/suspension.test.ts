import { expect, test } from "vitest";
import { type SuspendRequest, Suspension } from "./suspension.ts";

const WORK = { type: "work", topic: "", payload: null, maxAttempts: 1, retryDelayMs: 0, leaseMs: 1 } as const;

test("S1-35 a suspension keeps kind, key, partial output and deadline as plain data", () => {
  const suspension = new Suspension({ kind: "signal", key: "paid", partial: { seen: 2 }, deadline: "1h30m", onTimeout: "continue" });
  expect(suspension).toMatchObject({ request: { kind: "signal", key: "paid" }, partial: { seen: 2 }, onTimeout: "continue" });
  expect([suspension.dueInMs, suspension.dueAt]).toEqual([5_400_000, null]);
});

test("a deadline is a duration, milliseconds or an instant; without one there is none, and a timeout fails", () => {
  const due = (request: SuspendRequest) => {
    const { dueInMs, dueAt, onTimeout, partial } = new Suspension(request);
    return { dueInMs, dueAt, onTimeout, partial };
  };
  const rest = { onTimeout: "fail", partial: null };
  expect(due({ kind: "timer", deadline: 250 })).toEqual({ dueInMs: 250, dueAt: null, ...rest });
  expect(due({ kind: "timer", deadline: new Date(86_400_000) })).toEqual({ dueInMs: null, dueAt: 86_400_000, ...rest });
  expect(due({ kind: "child", workflow: "order" })).toEqual({ dueInMs: null, dueAt: null, ...rest });
});

test("what was suspended with cannot be changed from outside afterwards", () => {
  const partial = { seen: [1] };
  const suspension = new Suspension({ kind: "signal", key: "paid", partial });
  partial.seen.push(2);
  expect(suspension.partial).toEqual({ seen: [1] });
});

const where = {};
test.each<[SuspendRequest, string]>([
  [{ kind: "timer" }, "a timer has a deadline"],
  [{ kind: "timer", deadline: new Date(Number.NaN) }, "its deadline is not a date"],
  [{ kind: "signal", key: "" }, "a signal has a key"],
  [{ kind: "event", mode: "any", events: [] }, "it names no event"],
  [{ kind: "event", mode: "all", events: [{ event: "", where, optional: false }] }, "it names no event"],
  [{ kind: "task", task: WORK }, "a task has a title or a topic"],
  [
    {
      kind: "task",
      task: { type: "approval", title: "", description: null, form: null, assignees: [], groups: [], onReject: "fail" },
    },
    "a task has a title or a topic",
  ],
  [{ kind: "child", workflow: "" }, "a child has the name of a workflow"],
  [JSON.parse('{ "kind": "miracle" }'), "its kind is none of timer, signal, event, task, child"],
])("%j cannot be waited for", (request, why) => {
  expect(() => new Suspension(request)).toThrow(
    expect.objectContaining({ code: "SUSPENSION_INVALID", message: expect.stringContaining(why) }),
  );
});

test("a deadline that is not a duration and a partial output that is not JSON keep their codes", () => {
  expect(() => new Suspension({ kind: "timer", deadline: "soon" })).toThrow(expect.objectContaining({ code: "DURATION_INVALID" }));
  const partial = JSON.parse("{}");
  partial.self = partial;
  expect(() => new Suspension({ kind: "signal", key: "paid", partial })).toThrow(expect.objectContaining({ code: "VALUE_NOT_JSON" }));
});
