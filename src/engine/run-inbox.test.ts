import { expect, test } from "vitest";
import type { InboxRow } from "../ledger/rows.ts";
import { RunInbox } from "./run-inbox.ts";

const signal = (seq: number, name = "more"): InboxRow => ({
  id: seq,
  runId: 1,
  seq,
  kind: "signal",
  name,
  ordinal: null,
  signalId: null,
  payload: null,
  actor: "test",
  acceptedAt: 0,
  consumedAt: null,
});

test("signals of a name are used in the order of their acceptance, however many there are, and one in between can go first", () => {
  const inbox = new RunInbox();
  const rows = Array.from({ length: 2_000 }, (_, index) => signal(index + 1));
  for (const row of rows) inbox.add(row);
  inbox.take(signal(700));
  const used: number[] = [];
  for (let row = inbox.signal("more"); row !== undefined; row = inbox.signal("more")) {
    used.push(row.seq);
    inbox.take(row);
    if (row.seq === 1_500) inbox.add(signal(2_001));
  }
  expect(used).toEqual([...rows.map(({ seq }) => seq).filter((seq) => seq !== 700), 2_001]);
  expect([...inbox.names]).toEqual([]);
});
