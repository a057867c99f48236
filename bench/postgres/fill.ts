import { newPublicId } from "../../src/engine/public-id.ts";
import { openLedger } from "../../src/ledger/url.ts";
import { query } from "../../test/fixtures/postgres/new-database.ts";
import type { Place } from "../contestant.ts";
import { openStepwell } from "../ours.ts";
import { DEFINITIONS, INPUT } from "../workflows.ts";

const CALLERS = 8;

/** Puts runs of three steps into an empty ledger, for workers that come later. */
export async function fillQueue(place: Place, runs: number): Promise<object> {
  const { stepwell, ledger: url } = await openStepwell(place, "src");
  await stepwell.register(DEFINITIONS.three);
  await stepwell.stop();
  const [version] = await query(url, "SELECT id FROM stepwell.version");
  const ledger = await openLedger(url);
  let left = runs;
  const enqueue = async (): Promise<void> => {
    while (left-- > 0) {
      await ledger.enqueueRun({
        ...{ publicId: newPublicId(Date.now()), tenant: "default", versionId: Number(version?.["id"]), input: JSON.stringify(INPUT) },
        ...{ labels: null, initiator: "api", trigger: "call", environment: "production" },
        ...{ idempotencyKey: null, idempotencyHash: null, deadlineInMs: null, workerGroup: "default", admission: null },
      });
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, enqueue));
  await ledger.close();
  return { runs };
}
