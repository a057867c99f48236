import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { sharedDatabase } from "../../test/fixtures/postgres/file-database.ts";
import { openLedger } from "../ledger/url.ts";
import { describeScenarios } from "../testing/conformance/scenarios/every.ts";
import { describeSeveralEngines } from "../testing/conformance/scenarios/several-engines.ts";
import { verifiedAfterwards } from "../testing/conformance/scenarios/verified.ts";
import { type OpenLedger, survivingMemory } from "../testing/harness.ts";

async function memory(): Promise<OpenLedger> {
  return survivingMemory();
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
