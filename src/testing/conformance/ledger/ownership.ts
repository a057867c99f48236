import { describe, expect, test } from "vitest";
import { eachCase, type MakeLedger, refusal } from "./kit.ts";

export function describeOwnership(make: MakeLedger): void {
  describe("ownership", () => {
    const get = eachCase(make);

    test("a closed ledger says so", async () => {
      const fixture = get();
      await fixture.ledger.close();
      expect((await refusal(fixture.ledger.reserveRunIds(1))).code).toBe("LEDGER_UNAVAILABLE");
      await expect(fixture.ledger.close()).resolves.toBeUndefined();
    });
  });
}
