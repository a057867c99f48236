import { describe, expect, test } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import { Harness } from "../testing/harness.ts";

const LONG = { uses: "sleep", with: { for: "1h" } };

describe("runs that leave memory", () => {
  test("a run whose near wait has ended and whose far one has not is found by time again", async () => {
    const ledger = openMemoryLedger();
    const harness = new Harness(ledger);
    const id = await harness.start({ name: "both", steps: { near: { uses: "sleep", with: { for: 10 } }, far: LONG } });
    await harness.event((event) => event.type === "step.settled" && event.step === "near");
    expect(await ledger.getRun("default", id)).toMatchObject({ status: "SUSPENDED", reason: "timer", ownerEpoch: null });
    expect(await ledger.waits.nextDue()).not.toBeNull();
    await harness.stepwell.stop();
  });

  test("a run that was sent something stays for what follows, parked as the ledger knows it", async () => {
    const ledger = openMemoryLedger();
    const harness = new Harness(ledger);
    const answered = { uses: "wait", with: { signal: "go" } };
    const id = await harness.start({ name: "answered", steps: { answered, far: LONG } });
    await harness.event((event) => event.type === "run.suspended");
    await harness.stepwell.signal(id, "go");
    await harness.event((event) => event.type === "step.settled");
    expect(await ledger.getRun("default", id)).toMatchObject({ status: "SUSPENDED", ownerEpoch: null });
    await harness.stepwell.stop();
    // it was no longer at work: the next engine need not be told that this one has stopped
    expect(harness.events.filter(({ type }) => type === "run.suspended")).toHaveLength(1);
  });
});
