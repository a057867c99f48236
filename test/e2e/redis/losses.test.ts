import { expect, test } from "vitest";
import { needOwnPostgres } from "../../fixtures/postgres/database.ts";
import { needRedis } from "../../fixtures/redis/server.ts";
import { surviveLosses, textOf } from "./losses.ts";

const SEED = 1;
/** The whole of it is in `npm run chaos:redis`; this shows that nothing is wrong with it. */
const TIMES = 8;
const TIMEOUT_MS = 180_000;

test(
  "P17 whatever Redis loses under load, no run is lost and no step is executed again",
  async (context) => {
    needOwnPostgres(context);
    needRedis(context);
    const finding = await surviveLosses(TIMES, SEED);
    process.stdout.write(`${textOf(finding, SEED)}\n`);
    expect(finding).toMatchObject({ lost: [], repeated: [] });
    expect(finding.runs).toBeGreaterThan(TIMES);
  },
  TIMEOUT_MS,
);
