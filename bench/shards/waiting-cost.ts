import { setTimeout as sleep } from "node:timers/promises";
import type { Definition } from "../../src/index.ts";
import { query } from "../../test/fixtures/postgres/new-database.ts";
import { openStepwell } from "../ours.ts";
import { inOwnPlace } from "../place.ts";
import { openServer } from "../postgres/server.ts";
import { startServerMeter } from "../postgres/server-meter.ts";

/** What one run costs a shard that waits for somebody, and what an engine costs it that has nothing to do. */
export interface WaitingCost {
  readonly server: string;
  readonly runs: number;
  /** All tables with their indexes, after VACUUM. */
  readonly bytesPerRun: number;
  readonly logBytesPerRun: number;
  /** Until it is parked, of the server. */
  readonly serverMicrosPerRun: number;
  /** Of the server, while all of them wait. */
  readonly idleServerMsPerSecond: number;
}

const WAITER = "waiter";
const DEFINITION: Definition = { name: WAITER, steps: [{ uses: "wait", with: { signal: "go" } }] };
const CALLERS = 256;
const IDLE_MS = 10_000;
const BYTES = "SELECT sum(pg_total_relation_size(relid)) AS bytes FROM pg_stat_user_tables WHERE schemaname = 'stepwell'";

/** On a PostgreSQL of its own, which is gone afterwards. */
export async function measureWaiting(runs: number): Promise<WaitingCost> {
  await using server = await openServer(undefined);
  return await inOwnPlace(server.url, async (place) => {
    const { stepwell, ledger: url } = await openStepwell(place, "src");
    await stepwell.register(DEFINITION);
    await query(url, "VACUUM");
    const before = await bytesOf(url);
    const parking = await startServerMeter(url);
    const allParked = Promise.withResolvers<void>();
    let parkedRuns = 0;
    stepwell.listen(({ type }) => {
      if (type === "run.suspended" && ++parkedRuns === runs) allParked.resolve();
    });
    let left = runs;
    await Promise.all(
      Array.from({ length: CALLERS }, async () => {
        while (left-- > 0) await stepwell.start(WAITER, null);
      }),
    );
    await allParked.promise;
    const parked = await parking();
    await query(url, "VACUUM");
    const after = await bytesOf(url);
    const idling = await startServerMeter(url);
    await sleep(IDLE_MS);
    const idled = await idling();
    await stepwell.stop();
    return {
      server: server.facts,
      runs,
      bytesPerRun: (after - before) / runs,
      logBytesPerRun: parked.walBytes / runs,
      serverMicrosPerRun: ((parked.cpuSeconds ?? Number.NaN) * 1e6) / runs,
      idleServerMsPerSecond: ((idled.cpuSeconds ?? Number.NaN) * 1e6) / IDLE_MS,
    };
  });
}

async function bytesOf(url: string): Promise<number> {
  const [row] = await query(url, BYTES);
  return Number(row?.["bytes"]);
}
