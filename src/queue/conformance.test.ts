import { describe } from "vitest";
import { sharedRedis } from "../../test/fixtures/redis/shared-redis.ts";
import { describeQueueConformance } from "../testing/conformance/queue/conformance.ts";
import { openBullQueue } from "./bullmq/bull-queue.ts";
import { LEDGER_QUEUE } from "./ledger/ledger-queue.ts";

/** Nobody looks by himself within a test: whatever is found, a job has told of it. */
const NEVER_MS = 1_000_000;

describeQueueConformance("the ledger's", () => () => Promise.resolve(LEDGER_QUEUE));

describe("on a Redis", () => {
  const redis = sharedRedis();
  describeQueueConformance("BullMQ's", () => {
    const url = redis().then((server) => server.freshUrl());
    return async () => openBullQueue({ url: await url, sweepMs: NEVER_MS });
  });
});
