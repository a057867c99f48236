import { describe, expect, test } from "vitest";
import { createDatabase, openSession } from "../../../test/fixtures/postgres/database.ts";
import { sharedDatabase } from "../../../test/fixtures/postgres/file-database.ts";
import { aQueuedRun, aVersion, unit } from "../../testing/conformance/ledger/builders.ts";
import { WORKER } from "../../testing/conformance/ledger/kit.ts";
import { openPostgresLedger } from "./ledger.ts";

describe("admission in a shared ledger", () => {
  const database = sharedDatabase();

  test("P2 P9 a paused run that is let go while an admission forgets that it asks is given all the same", async () => {
    await using own = await createDatabase(await database());
    const ledger = await openPostgresLedger({ url: own.url });
    const { epoch } = await ledger.own(WORKER);
    const { id: versionId } = await ledger.putVersion(aVersion());
    await ledger.enqueueRun(aQueuedRun(versionId, "run-a"));
    const runId = (await ledger.getRun("default", "run-a"))?.id ?? 0;
    const paused = { write: "pauseRun", runId, pausedBy: "ann", revision: 2 } as const;
    await ledger.commit({ epoch, units: [unit(runId, [paused], null)] });
    // another engine's commit lets it go, and is not over when the admission looks
    await using commit = await openSession(own.url);
    await commit.run("SET LOCAL search_path = stepwell");
    await commit.run(`UPDATE run SET paused_by = NULL WHERE id = ${runId}`);
    await commit.run(`INSERT INTO admission_note (run_id, note, due_at) VALUES (${runId}, 'asks', 0)`);
    const looked = ledger.claims.admit(epoch, 9);
    await commit.blocks(1);
    await commit.end("COMMIT");
    await expect(looked).resolves.toMatchObject({ runs: [] });
    await expect(ledger.claims.admit(epoch, 9)).resolves.toMatchObject({ runs: [runId] });
    await ledger.close();
  });
});
