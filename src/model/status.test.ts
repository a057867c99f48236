import { describe, expect, test } from "vitest";
import {
  isTerminalRun,
  isTerminalStep,
  RUN_REASONS,
  RUN_STATUSES,
  RUN_TRANSITIONS,
  STEP_REASONS,
  STEP_STATUSES,
  STEP_TRANSITIONS,
} from "./status.ts";

type Table = Readonly<Record<string, readonly string[]>>;

/** Every status that a walk from `from` meets, itself included. */
function reachable(table: Table, from: string): ReadonlySet<string> {
  const seen = new Set([from]);
  for (const status of seen) for (const next of table[status] ?? []) seen.add(next);
  return seen;
}

describe.each([
  { what: "run", table: RUN_TRANSITIONS, statuses: RUN_STATUSES, start: "QUEUED", ends: ["SUCCEEDED", "FAILED", "CANCELLED"] },
  {
    what: "step",
    table: STEP_TRANSITIONS,
    statuses: STEP_STATUSES,
    start: "PENDING",
    ends: ["SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"],
  },
])(
  "the transitions of a $what",
  ({ table, statuses, start, ends }: { table: Table; statuses: readonly string[]; start: string; ends: string[] }) => {
    test("cover every status and name no other", () => {
      expect(Object.keys(table)).toStrictEqual([...statuses]);
      expect(
        Object.values(table)
          .flat()
          .filter((status) => !statuses.includes(status)),
      ).toStrictEqual([]);
    });

    test("lead from the start to every status and never back to the start", () => {
      expect([...reachable(table, start)].toSorted()).toStrictEqual([...statuses].toSorted());
      expect(Object.values(table).flat()).not.toContain(start);
    });

    test("end in the terminal statuses, which every other one can reach", () => {
      expect(statuses.filter((status) => table[status]?.length === 0)).toStrictEqual(ends);
      for (const status of statuses) expect([...reachable(table, status)].some((met) => ends.includes(met))).toBe(true);
    });

    test("name no status twice and none as its own successor", () => {
      for (const [status, next] of Object.entries(table)) {
        expect(new Set(next).size).toBe(next.length);
        expect(next).not.toContain(status);
      }
    });
  },
);

test("S0-21 a run ends as exactly one of SUCCEEDED, FAILED and CANCELLED, and nothing leads out of them", () => {
  expect(RUN_STATUSES.filter(isTerminalRun)).toStrictEqual(["SUCCEEDED", "FAILED", "CANCELLED"]);
  expect(RUN_STATUSES.filter((status) => !isTerminalRun(status))).toStrictEqual(["QUEUED", "RUNNING", "SUSPENDED"]);
});

test("S1-10 a step ends as SUCCEEDED, FAILED, SKIPPED or CANCELLED, and may be SUSPENDED on the way", () => {
  expect(STEP_STATUSES.filter(isTerminalStep)).toStrictEqual(["SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"]);
  expect(STEP_TRANSITIONS.RUNNING).toContain("SUSPENDED");
  expect(STEP_TRANSITIONS.SUSPENDED).toContain("RUNNING");
});

test("a step that never ran cannot succeed or fail, and a run cannot either", () => {
  expect(STEP_TRANSITIONS.PENDING).toStrictEqual(["RUNNING", "SKIPPED", "CANCELLED"]);
  expect(RUN_TRANSITIONS.QUEUED).toStrictEqual(["RUNNING", "CANCELLED"]);
});

test("every reason says in words what it means", () => {
  for (const text of [...Object.values(RUN_REASONS), ...Object.values(STEP_REASONS)]) expect(text).toMatch(/^[a-z][^.]{10,}$/);
});
