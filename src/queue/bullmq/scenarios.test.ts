import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { sharedRedis } from "../../../test/fixtures/redis/shared-redis.ts";
import { openLedger } from "../../ledger/url.ts";
import { describeQueuedScenarios, describeScenarios } from "../../testing/conformance/scenarios/every.ts";
import { describeSeveralEngines } from "../../testing/conformance/scenarios/several-engines.ts";
import { verifiedAfterwards } from "../../testing/conformance/scenarios/verified.ts";
import { interposed, type OpenLedger, withQueue } from "../../testing/harness.ts";
import { openBullQueue } from "./bull-queue.ts";

describe("scenarios with BullMQ", () => {
  const redis = sharedRedis();

  /** Every opening of the ledger comes with another end of the same queue, and ends with it, as both do in a crash. */
  const queued = (file: string): OpenLedger => {
    const url = redis().then((server) => server.freshUrl());
    return async () => {
      const [ledger, queue] = [await openLedger(file), await openBullQueue({ url: await url })];
      return withQueue(interposed(ledger, { close: async () => void (await Promise.all([ledger.close(), queue.close()])) }), queue);
    };
  };

  describe("on sqlite", () => {
    const directories: string[] = [];
    afterAll(async () => {
      for (const directory of directories) await rm(directory, { recursive: true });
    });
    describeScenarios(async () => {
      const directory = await mkdtemp(join(tmpdir(), "stepwell-"));
      directories.push(directory);
      return queued(join(directory, "ledger.db"));
    });
  });

  // all of them take minutes, most of which the server spends on its disk: STEPWELL_EVERY_SCENARIO=1 asks for them
  describe("on postgres", () => {
    const database = sharedDatabase();
    const urls: string[] = [];
    verifiedAfterwards(urls);
    const open = async (): Promise<OpenLedger> => {
      const url = `${await database()}?schema=scenario_${randomUUID().replaceAll("-", "")}`;
      urls.push(url);
      return queued(url);
    };
    if (process.env["STEPWELL_EVERY_SCENARIO"] === "1") describeScenarios(open);
    else describeQueuedScenarios(open);
    describeSeveralEngines(open);
  });
});
