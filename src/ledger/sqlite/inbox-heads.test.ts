import { expect, test } from "vitest";
import { endRun, unit } from "../../testing/conformance/ledger/builders.ts";
import { InboxHeads } from "./inbox-heads.ts";

test("what is known of ended runs is bounded, and of others is kept", () => {
  const heads = new InboxHeads();
  const none = new Set<number>();
  const stale = (runId: number) => heads.missedBy([unit(runId, [], 0)]).size === 1;
  heads.note(0, 1);
  for (let runId = 1; runId <= 10_001; runId++) {
    heads.note(runId, 1);
    heads.noteEnded([unit(runId, [endRun(runId)], 1)], none);
  }
  expect([stale(0), stale(1), stale(2), stale(10_001)]).toEqual([true, false, true, true]);
});

test("a unit that was left out ends nothing", () => {
  const heads = new InboxHeads();
  heads.note(7, 2);
  heads.noteEnded([unit(7, [endRun(7)], 1)], new Set([0]));
  expect([...heads.missedBy([unit(7, [], 1), unit(7, [], 2), unit(7, [], null), unit(8, [], 0)])]).toEqual([0]);
});
