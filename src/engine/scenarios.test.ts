import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect } from "vitest";
import { sharedDatabase } from "../../test/fixtures/postgres/file-database.ts";
import { openLedger, verifyLedger } from "../ledger/url.ts";
import { describeBranching } from "../testing/conformance/scenarios/branching.ts";
import { describeChildren } from "../testing/conformance/scenarios/children.ts";
import { describeContext } from "../testing/conformance/scenarios/context.ts";
import { describeControlling } from "../testing/conformance/scenarios/controlling.ts";
import { describeDeciding } from "../testing/conformance/scenarios/deciding.ts";
import { describeEnding } from "../testing/conformance/scenarios/ending.ts";
import { describeEnduring } from "../testing/conformance/scenarios/enduring.ts";
import { describeFailing } from "../testing/conformance/scenarios/failing.ts";
import { describeIntercepting } from "../testing/conformance/scenarios/intercepting.ts";
import { describeLimiting } from "../testing/conformance/scenarios/limiting.ts";
import { describePersisting } from "../testing/conformance/scenarios/persisting.ts";
import { describeRecovering } from "../testing/conformance/scenarios/recovering.ts";
import { describeRepeating } from "../testing/conformance/scenarios/repeating.ts";
import { describeRunning } from "../testing/conformance/scenarios/running.ts";
import { describeSeveralEngines } from "../testing/conformance/scenarios/several-engines.ts";
import { describeSharing } from "../testing/conformance/scenarios/sharing.ts";
import { describeTakingOver } from "../testing/conformance/scenarios/taking-over.ts";
import { describeUndoing } from "../testing/conformance/scenarios/undoing.ts";
import { describeWaiting } from "../testing/conformance/scenarios/waiting.ts";
import { type OpenLedger, survivingMemory } from "../testing/harness.ts";

/** With hundreds of ledgers that takes a while. */
const VERIFY_MS = 120_000;

/** Whatever a scenario has left behind is as a ledger must be; call it after what makes the place for them. */
function verifiedAfterwards(urls: readonly string[]): void {
  afterAll(async () => {
    const broken: string[] = [];
    for (const url of urls) {
      const { checks } = await verifyLedger(url);
      for (const { id, count, first } of checks) if (count > 0) broken.push(`${id} of ${url}: ${JSON.stringify(first)}`);
    }
    expect(broken).toEqual([]);
  }, VERIFY_MS);
}

async function memory(): Promise<OpenLedger> {
  return survivingMemory();
}

function describeScenarios(open: () => Promise<OpenLedger>): void {
  describeRunning(open);
  describeFailing(open);
  describeControlling(open);
  describeRecovering(open);
  describeTakingOver(open);
  describeBranching(open);
  describeSharing(open);
  describeContext(open);
  describeEnding(open);
  describeEnduring(open);
  describeIntercepting(open);
  describeWaiting(open);
  describeUndoing(open);
  describeDeciding(open);
  describeRepeating(open);
  describeChildren(open);
  describePersisting(open);
  describeLimiting(open);
}

describe("scenarios on memory", () => {
  describeScenarios(memory);
});
describe("scenarios on sqlite", () => {
  const directories: string[] = [];
  const files: string[] = [];
  afterAll(async () => {
    for (const directory of directories) await rm(directory, { recursive: true });
  });
  verifiedAfterwards(files);
  describeScenarios(async () => {
    const directory = await mkdtemp(join(tmpdir(), "stepwell-"));
    const file = join(directory, "ledger.db");
    directories.push(directory);
    files.push(file);
    return () => openLedger(file);
  });
});
describe("scenarios on postgres", () => {
  const database = sharedDatabase();
  const urls: string[] = [];
  verifiedAfterwards(urls);
  const open = async (): Promise<OpenLedger> => {
    const url = `${await database()}?schema=scenario_${randomUUID().replaceAll("-", "")}`;
    urls.push(url);
    return () => openLedger(url);
  };
  describeScenarios(open);
  describeSeveralEngines(open);
});
