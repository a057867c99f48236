import { describe, expect, test } from "vitest";
import { aVersion, TENANT } from "./builders.ts";
import { eachCase, type MakeLedger } from "./kit.ts";

export function describeVersions(make: MakeLedger): void {
  describe("versions", () => {
    const get = eachCase(make);

    test("S1-40 a definition is stored once by its content and comes back from the ledger alone", async () => {
      const { ledger, version, clock } = get();
      expect(version).toEqual({
        id: version.id,
        tenant: TENANT,
        workflow: "order",
        version: "1.0",
        hash: "hash-1",
        definition: '{"name":"order"}',
        createdAt: clock.time,
      });
      clock.time += 5;
      await expect(ledger.putVersion(aVersion({ version: "ignored" }))).resolves.toEqual(version);
      await expect(ledger.getVersion(version.id)).resolves.toEqual(version);
      await expect(ledger.getVersion(version.id + 99)).resolves.toBeUndefined();
    });

    test("the newest version of a workflow is the one registered last, per tenant", async () => {
      const { ledger, version } = get();
      await expect(ledger.latestVersion(TENANT, "order")).resolves.toEqual(version);
      const newer = await ledger.putVersion(aVersion({ hash: "hash-2", version: null, definition: "{}" }));
      const foreign = await ledger.putVersion(aVersion({ tenant: "other", hash: "hash-1" }));
      await ledger.putVersion(aVersion({ workflow: "invoice", hash: "hash-1" }));
      expect(foreign.id).not.toBe(version.id);
      await expect(ledger.latestVersion(TENANT, "order")).resolves.toEqual(newer);
      await expect(ledger.latestVersion("other", "order")).resolves.toEqual(foreign);
      await expect(ledger.latestVersion(TENANT, "nothing")).resolves.toBeUndefined();
    });
  });
}
