import type { Listener } from "../engine/api.ts";
import { FamilyArchive } from "../engine/archive-runs.ts";
import { tellListeners } from "../engine/listeners.ts";
import { Pace } from "../engine/pace.ts";
import { Pruner } from "../engine/pruner.ts";
import { recordError } from "../engine/recorded-error.ts";
import { systemClock } from "../engine/system-clock.ts";
import type { Ledger, RetentionQuery } from "../ledger/port.ts";
import { ArchiveFolder } from "./archive-folder.ts";

/** Runs that are archived at once, at least: each is read by itself. */
const LEAST_ARCHIVED = 10;

/**
 * Where runs are written before they are deleted; undefined: nowhere.
 *
 * @param isBackground its rests alone do not keep the process alive
 * @throws StepwellError `ARCHIVE_UNAVAILABLE` when the folder cannot be written
 */
export async function openArchive(
  folder: string | undefined,
  ledger: Ledger,
  tenant: string,
  isBackground: boolean,
): Promise<FamilyArchive | undefined> {
  if (folder === undefined) return undefined;
  const archive = new ArchiveFolder(folder, () => systemClock.now());
  await archive.prepare();
  return new FamilyArchive(ledger, tenant, archive, new Pace(systemClock, isBackground, LEAST_ARCHIVED));
}

/** Begins to delete what a ledger keeps no longer. */
export function startPruning(
  { retention }: Ledger,
  query: RetentionQuery,
  archive: FamilyArchive | undefined,
  listeners: ReadonlySet<Listener>,
): Pruner {
  return new Pruner({
    retention,
    query,
    archive,
    clock: systemClock,
    random: Math.random,
    pruned: (runs) => tellListeners(listeners, { type: "runs.pruned", runs }),
    damaged: ({ root, error }) => tellListeners(listeners, { type: "run.unarchived", runId: root.publicId, error: recordError(error) }),
    failed: (error, retryInMs) =>
      tellListeners(listeners, {
        type: error.code === "ARCHIVE_UNAVAILABLE" ? "archive.stalled" : "ledger.stalled",
        error: recordError(error),
        retryInMs,
      }),
  });
}
