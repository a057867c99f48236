import { describe, expect, test } from "vitest";
import type { InboxRow } from "../ledger/rows.ts";
import type { Json } from "../model/json.ts";
import { RunInbox } from "./run-inbox.ts";
import { NO_DETAIL, type StepWait } from "./step-wait.ts";
import { wakeUpOf } from "./wakes.ts";

const STEP = 3;

function row(kind: InboxRow["kind"], seq: number, payload: Json, more: Partial<InboxRow> = {}): InboxRow {
  const addressed = kind === "signal" ? null : STEP;
  const common = { id: seq, runId: 1, name: null, signalId: null, actor: "ann", acceptedAt: seq * 10, consumedAt: null };
  return { ...common, kind, seq, ordinal: addressed, payload: JSON.stringify(payload), ...more };
}

function wait(kind: StepWait["kind"], more: Partial<StepWait> = {}): StepWait {
  return { kind, key: null, delayMs: null, dueAt: null, timer: null, childRunId: null, detail: NO_DETAIL, ...more };
}

function inbox(...rows: readonly InboxRow[]): RunInbox {
  const all = new RunInbox();
  for (const one of rows) all.add(one);
  return all;
}

const seqs = (woken: ReturnType<typeof wakeUpOf>): readonly number[] | undefined => woken?.rows.map(({ seq }) => seq);

describe("what ends a wait", () => {
  test("the oldest signal of its name", () => {
    const come = inbox(
      row("signal", 1, "other", { name: "b" }),
      row("signal", 2, "first", { name: "a" }),
      row("signal", 3, "second", { name: "a" }),
    );
    const woken = wakeUpOf(wait("signal", { key: "a" }), STEP, come, 0);
    expect(woken).toMatchObject({ kind: "signal", result: { ok: true, payload: "first" } });
    expect(seqs(woken)).toEqual([2]);
    expect(wakeUpOf(wait("signal", { key: "c" }), STEP, come, 0)).toBeUndefined();
  });

  test("what was accepted by the deadline beats the deadline, however late it is looked at; what came after it does not", () => {
    const late = { key: "a", dueAt: 20 };
    expect(wakeUpOf(wait("signal", late), STEP, inbox(row("signal", 2, "in time", { name: "a" })), 1_000)).toMatchObject({
      kind: "signal",
    });
    const tooLate = wakeUpOf(wait("signal", late), STEP, inbox(row("signal", 3, "late", { name: "a" })), 1_000);
    expect(tooLate).toMatchObject({ kind: "timeout", rows: [] });
    expect(wakeUpOf(wait("signal", late), STEP, inbox(), 19)).toBeUndefined();
  });

  test("a timer ends with what the suspension kept, at its time and not before", () => {
    const timer = wait("timer", { dueAt: 50, detail: { partial: { kept: 1 } } });
    expect(wakeUpOf(timer, STEP, inbox(), 49)).toBeUndefined();
    expect(wakeUpOf(timer, STEP, inbox(), 50)).toMatchObject({ kind: "timer", result: { ok: true, payload: { kept: 1 } } });
  });

  test("a retry, a delay and a missing operator are no wakes of an operator", () => {
    for (const kind of ["retry", "delay", "no_worker", "resume"] as const) {
      expect(wakeUpOf(wait(kind, { dueAt: 1 }), STEP, inbox(), 100)).toBeUndefined();
    }
  });

  const event = (seq: number, member: number): InboxRow => row("event", seq, { member, event: `e${member}`, id: `i${seq}`, data: { seq } });
  const events = [0, 1, 2].map((member) => ({ event: `e${member}`, where: {}, optional: member === 2 }));

  test("any: the first event, whichever it is", () => {
    const woken = wakeUpOf(wait("event", { detail: { mode: "any", events } }), STEP, inbox(event(5, 1), event(6, 0)), 0);
    expect(woken).toMatchObject({ kind: "event", result: { ok: true, payload: { event: "e1", id: "i5", data: { seq: 5 } } } });
    expect(seqs(woken)).toEqual([5, 6]);
  });

  test("all: every event that is not optional, in the order of the definition", () => {
    const all = wait("event", { detail: { mode: "all", events } });
    expect(wakeUpOf(all, STEP, inbox(event(5, 1), event(6, 2)), 0)).toBeUndefined();
    const woken = wakeUpOf(all, STEP, inbox(event(5, 1), event(7, 0), event(8, 1)), 0);
    expect(woken?.result).toMatchObject({ ok: true, payload: [{ id: "i7" }, { id: "i5" }, null] });
    expect(seqs(woken)).toEqual([5, 7, 8]);
  });

  test("how a task or a child ended is the result, an error included", () => {
    const done = wakeUpOf(wait("task"), STEP, inbox(row("task", 1, { ok: true, payload: 7 })), 0);
    expect(done?.result).toEqual({ ok: true, payload: 7 });
    const failed = wakeUpOf(wait("child"), STEP, inbox(row("child", 1, { ok: false, error: { code: "CHILD_FAILED", message: "no" } })), 0);
    expect(failed?.result).toEqual({ ok: false, error: { code: "CHILD_FAILED", message: "no" } });
    expect(wakeUpOf(wait("task"), STEP, inbox(row("child", 1, { ok: true, payload: 7 })), 0)).toBeUndefined();
  });
});
