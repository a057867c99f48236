import { describe, expect, test } from "vitest";
import { RUN_TRANSITIONS, STEP_TRANSITIONS } from "../../model/status.ts";
import { checksum } from "./checksum.ts";
import { type HotWrite, integer } from "./description.ts";
import { executorsBy } from "./executors.ts";
import { briefWrite, renderWrite } from "./render.ts";
import { deleteStep } from "./reopen-writes.ts";
import { countInbox, insertInbox, insertWait } from "./waiting-writes.ts";

/** The SQL of every hot write for a target status, by the name of the write. */
function statements(target: string): Readonly<Record<string, string>> {
  const seen: string[] = [];
  const executors = executorsBy((description) => {
    seen.push(renderWrite(description).sql(target));
    return () => undefined;
  });
  return Object.fromEntries(Object.keys(executors).map((name, index) => [name, seen[index] ?? ""]));
}

describe("rendering of hot writes", () => {
  test("a step's settlement is one guarded update by key", () => {
    expect(statements("SUCCEEDED")["settleStep"]).toBe(
      "UPDATE step SET status = 'SUCCEEDED', reason = ?, failures = ?, output = ?, error = ?, result_crc = ?, revision = ?, finished_at = ? " +
        "WHERE key = ? AND status IN ('RUNNING', 'SUSPENDED')",
    );
  });

  test("guards follow the transition tables", () => {
    for (const target of ["SUCCEEDED", "FAILED", "CANCELLED"] as const) {
      const sources = Object.entries(RUN_TRANSITIONS).filter(([, targets]) => targets.includes(target));
      expect(statements(target)["endRun"]).toContain(`status IN (${sources.map(([status]) => `'${status}'`).join(", ")})`);
    }
    const suspendable = Object.entries(STEP_TRANSITIONS).filter(([, targets]) => targets.includes("SUSPENDED"));
    expect(suspendable.map(([status]) => status)).toEqual(["RUNNING"]);
    expect(statements("SUSPENDED")["suspendStep"]).toContain("status IN ('RUNNING', 'SUSPENDED')");
    expect(statements("RUNNING")["restartStep"]).toMatch(/attempt < \?\d+ AND status IN \('PENDING', 'RUNNING', 'SUSPENDED'\)$/);
  });

  test("no write is made to a status that it cannot give", () => {
    expect(statements("QUEUED")["endRun"]).toMatch(/status IN \(\)$/);
  });

  test("a run without parent, waits and inbox pays for none of them", () => {
    const bound: number[][] = [];
    const executors = executorsBy((description) => {
      const briefs = (description.brief ?? []).map((brief) => renderWrite(briefWrite(description, brief)).values.length);
      bound.push([...briefs, renderWrite(description).values.length]);
      return () => undefined;
    });
    const counts = Object.fromEntries(Object.keys(executors).map((name, index) => [name, bound[index]]));
    // insertRun: from the API, without a parent, any. insertStep: of the root and begins, begins, of the root, any. endRun: without output.
    expect(counts).toMatchObject({ insertRun: [9, 23, 28], insertStep: [5, 9, 16, 20], settleStep: [5, 8], endRun: [3, 5, 7] });
  });

  test("a step is found by its run and ordinal, also where their key is larger than a number can say exactly", () => {
    const { sql, values } = renderWrite(deleteStep);
    const keyOf = (runId: number, ordinal: number) => values[0]?.({ write: "deleteStep", runId, ordinal }, 0);
    expect(sql("")).toBe("DELETE FROM step WHERE key = ?");
    expect(keyOf(2 ** 25 - 1, 2 ** 28 - 1)).toBe(Number.MAX_SAFE_INTEGER);
    expect(keyOf(2 ** 25, 1)).toBe(2n ** 53n + 1n);
  });

  test("a row is put into an inbox under the next number of its run, if that has not ended", () => {
    expect(renderWrite(countInbox).sql("")).toBe("UPDATE run SET inbox_seq = inbox_seq + 1 WHERE id = ? AND finished_at IS NULL");
    expect(renderWrite(insertInbox).sql("")).toBe(
      "INSERT INTO inbox (run_id, seq, kind, name, ordinal, signal_id, actor, accepted_at, payload, payload_crc) " +
        "SELECT ?, (SELECT inbox_seq FROM run WHERE id = ?1), ?, ?, ?, ?, ?, ?, ?, ? " +
        "WHERE EXISTS (SELECT 1 FROM run WHERE id = ?1 AND finished_at IS NULL)",
    );
  });

  test.each([
    [{ dueAt: 12, dueInMs: 50 }, 12],
    [{ dueAt: null, dueInMs: 50 }, 150],
    [{ dueAt: null, dueInMs: null }, null],
  ])("a due time of %j is %j", (due, expected) => {
    const { sql, values } = renderWrite(insertWait);
    const wait = { write: "insertWait", runId: 1, ordinal: 0, kind: "timer", key: null, childRunId: null, detail: null, ...due } as const;
    const columns = /\((.*)\) VALUES/.exec(sql(""))?.[1]?.split(", ") ?? [];
    expect(values[columns.indexOf("due_at")]?.(wait, 100)).toBe(expected);
  });

  test("a value used for several columns is bound once", () => {
    const source = integer<{ readonly x: number }>((write) => write.x);
    const write: HotWrite<{ readonly x: number }> = {
      table: "event",
      action: "insert",
      key: { run_id: source },
      set: { a: source, b: { from: "once", source }, at: { from: "clock", after: ({ x }) => (x > 5 ? null : x) } },
      guard: {},
      noRow: "refuse",
    };
    const rendered = renderWrite(write);
    expect(rendered.sql("")).toBe("INSERT INTO event (run_id, a, b, at) VALUES (?, ?1, coalesce(b, ?1), ?)");
    expect(rendered.values.map((read) => read({ x: 3 }, 100))).toEqual([3, 103]);
    expect(rendered.values.map((read) => read({ x: 7 }, 100))).toEqual([7, null]);
  });

  test("a checksum tells absent, moved and changed payloads apart", () => {
    const sums = [
      checksum(null, null),
      checksum("a", null),
      checksum(null, "a"),
      checksum("a", "b"),
      checksum("b", "a"),
      checksum("", null),
    ];
    expect(new Set(sums).size).toBe(sums.length);
    expect(sums[0]).toBeNull();
  });
});
