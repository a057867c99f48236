import { afterAll, expect } from "vitest";
import { verifyLedger } from "../../../ledger/url.ts";

/** With hundreds of ledgers that takes a while. */
const VERIFY_MS = 120_000;

/** Whatever a scenario has left behind is as a ledger must be; call it after what makes the place for them. */
export function verifiedAfterwards(urls: readonly string[]): void {
  afterAll(async () => {
    const broken: string[] = [];
    for (const url of urls) {
      const { checks } = await verifyLedger(url);
      for (const { id, count, first } of checks) if (count > 0) broken.push(`${id} of ${url}: ${JSON.stringify(first)}`);
    }
    expect(broken).toEqual([]);
  }, VERIFY_MS);
}
