import type { Seen } from "../programs/construct.ts";
import { cutAt, type RunTrack } from "./tracks.ts";

/** What the log saw of a run and no prediction can know before. */
export function seenOf(run: RunTrack, runs: ReadonlyMap<number, RunTrack>): Seen {
  return {
    publicId: run.insert.publicId,
    isUnknown: (path) => run.byPath.get(path)?.isUnknown === true,
    hasTimedOut: (path) => run.byPath.get(path)?.hasTimedOut === true,
    child: (path) => {
      const child = runs.get(run.byPath.get(path)?.childRunId ?? -1);
      return child === undefined ? undefined : seenOf(child, runs);
    },
    isCut: cutAt(run) !== null,
  };
}
