import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { missingRedis, needRedis, type RedisServer, startRedis } from "../../test/fixtures/redis/server.ts";
import { describeQueueConformance } from "../testing/conformance/queue/conformance.ts";
import { openBullQueue } from "./bullmq/bull-queue.ts";
import { LEDGER_QUEUE } from "./ledger/ledger-queue.ts";

/** Nobody looks by himself within a test: whatever is found, a job has told of it. */
const NEVER_MS = 1_000_000;

describeQueueConformance("the ledger's", () => () => Promise.resolve(LEDGER_QUEUE));

describe("on a Redis", () => {
  let server: RedisServer | undefined;
  beforeEach(needRedis);
  beforeAll(async () => {
    if (missingRedis() === undefined) server = await startRedis();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  describeQueueConformance("BullMQ's", () => {
    const url = server?.freshUrl() ?? "";
    return () => openBullQueue({ url, sweepMs: NEVER_MS });
  });
});
