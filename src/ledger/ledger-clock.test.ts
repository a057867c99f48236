import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualTime } from "../testing/conformance/ledger/kit.ts";
import { LedgerClock } from "./ledger-clock.ts";

describe("the ledger's clock", () => {
  test("never goes backwards, and is never ahead of everything it saw", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ time: fc.nat(10_000), seen: fc.option(fc.nat(10_000)) })), (steps) => {
        const source = new ManualTime();
        const clock = new LedgerClock(source, () => undefined);
        let highest = 0;
        for (const { time, seen } of steps) {
          source.time = time;
          if (seen !== null) clock.seen(seen);
          highest = Math.max(highest, time, seen ?? 0);
          expect(clock.now()).toBe(highest);
        }
      }),
    );
  });

  test("warns once for each jump of a second or more, and not for less", () => {
    const source = new ManualTime();
    const warnings: string[] = [];
    const clock = new LedgerClock(source, (message) => warnings.push(message));
    const begin = source.time;
    for (const time of [begin, begin - 999, begin - 1_000, begin - 5_000, begin + 1, begin - 2_000]) {
      source.time = time;
      clock.now();
    }
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain("went back by 1000 ms");
    expect(warnings[1]).toContain("went back by 2001 ms");
  });
});
