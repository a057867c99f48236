import { withoutPastRounds, withRevision } from "../needed-steps.ts";
import type { StoredRun } from "../port.ts";
import type { RunRow, StepRow, WaitRow } from "../rows.ts";
import { decodeRun, decodeStep } from "../sql/decode.ts";
import { decodeInbox, decodeWait } from "../sql/decode-waiting.ts";
import { READS } from "../sql/reads.ts";
import type { SqliteSession } from "./session.ts";

const LAST_ORDINAL = 2 ** 28 - 1;
/** Up to so many rows are read at once without asking first which of them are needed. */
const FEW_ROWS = 64;
/** With more loops at work than this the run is read as a whole. */
const FEW_LOOPS = 64;

/** Reads what drives a run on. A loop that is parked between its rounds costs the same in each of them. */
export function loadRun(session: SqliteSession, runId: number): StoredRun | undefined {
  const row = session.get(READS.storedRun, runId);
  if (row === undefined) return undefined;
  const run = decodeRun(row);
  const lastOrdinal = Number(session.get(READS.lastOrdinal, runId)?.["ordinal"] ?? -1);
  const waits = session.all(READS.waitRows, runId).map(decodeWait);
  const steps = withoutPastRounds(
    (lastOrdinal < FEW_ROWS ? undefined : stepsOfLoops(session, run, waits)) ?? stepsWithin(session, runId, 0, LAST_ORDINAL),
  );
  const lastEvent = row["event_revision"];
  return {
    run: withRevision(run, steps, typeof lastEvent === "number" ? lastEvent : null),
    steps,
    lastOrdinal,
    waits,
    inbox: run.inboxSeq === 0 ? [] : session.all(READS.inboxRows, runId).map(decodeInbox),
  };
}

/**
 * The steps of a run whose blocks at work are loops alone: its own, and what stands at or behind the first round that is needed.
 * Undefined when another block is at work, whose finished scopes may stand anywhere.
 */
function stepsOfLoops(session: SqliteSession, { id, versionId }: RunRow, waits: readonly WaitRow[]): readonly StepRow[] | undefined {
  const open = session.all(READS.openRounds, id);
  const delayed = waits.filter(({ kind }) => kind === "delay").map(({ ordinal }) => ordinal);
  if (open.length + delayed.length === 0 || open.length + delayed.length > FEW_LOOPS) return undefined;
  const rounds = [...open, ...delayed.flatMap((block) => session.all(READS.lastRound, id, block))].map((row) => Number(row["ordinal"]));
  const first = Math.min(...rounds);
  const own = session.number(READS.ownSteps, "steps", versionId);
  if (first <= own) return undefined;
  const steps = [...stepsWithin(session, id, 0, own - 1), ...stepsWithin(session, id, first, LAST_ORDINAL)];
  const loops = new Set([...open.map((row) => Number(row["parent"])), ...delayed]);
  const isLoop = ({ kind, finishedAt, ordinal }: StepRow): boolean => kind !== "block" || finishedAt !== null || loops.has(ordinal);
  return steps.every(isLoop) ? steps : undefined;
}

function stepsWithin(session: SqliteSession, runId: number, first: number, last: number): readonly StepRow[] {
  return session.all(READS.stepRows, runId, first, last).map(decodeStep);
}
