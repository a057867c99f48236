import { describe, expect, test } from "vitest";
import { query } from "../../../test/fixtures/postgres/database.ts";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { Stepwell } from "../../main/stepwell.ts";

const RUNS = 1_500;
const CALLERS = 100;
/** A row is found when it changes its status and when it is locked; walking through an index for each batch finds each of them dozens of times. */
const FOUND_PER_RUN = 8;

describe("the plans of a batch", () => {
  const database = sharedDatabase();

  test("find the rows that they change, however many others there are", async () => {
    const url = `${await database()}?schema=plans`;
    const stepwell = new Stepwell({ ledger: url });
    await stepwell.register({ name: "waiter", steps: [{ uses: "wait", with: { signal: "go" } }] });
    let parked = 0;
    const allParked = Promise.withResolvers<void>();
    stepwell.listen(({ type }) => {
      if (type === "run.suspended" && ++parked === RUNS) allParked.resolve();
    });
    let left = RUNS;
    const call = async (): Promise<void> => {
      while (left-- > 0) await stepwell.start("waiter", null);
    };
    await Promise.all(Array.from({ length: CALLERS }, call));
    await allParked.promise;
    // sessions tell what they did when they end
    await stepwell.stop();
    const [steps] = await query(
      url,
      "SELECT idx_tup_read AS found FROM pg_stat_user_indexes WHERE schemaname = 'plans' AND indexrelname = 'step_pkey'",
    );
    expect(Number(steps?.["found"])).toBeGreaterThanOrEqual(RUNS);
    expect(Number(steps?.["found"])).toBeLessThan(RUNS * FOUND_PER_RUN);
  });
});
