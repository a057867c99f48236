import { withoutPastRounds, withRevision } from "../needed-steps.ts";
import type { StoredRun } from "../port.ts";
import type { RunRow, StepRow, WaitRow } from "../rows.ts";
import type { Work } from "../work.ts";
import { decodeRun, decodeStep } from "./decode.ts";
import { decodeInbox, decodeWait } from "./decode-waiting.ts";
import { READS } from "./reads.ts";
import type { SqlConnection } from "./transaction.ts";

export const LAST_ORDINAL = 2 ** 28 - 1;
/** Up to so many rows are read at once without asking first which of them are needed. */
export const FEW_ROWS = 64;
/** With more loops at work than this the run is read as a whole. */
const FEW_LOOPS = 64;

type Connection = Pick<SqlConnection, "rows">;

/** Reads what drives a run on. A loop that is parked between its rounds costs the same in each of them. */
export function* loadRun(connection: Connection, runId: number, now: number): Work<StoredRun | undefined> {
  const [row] = yield* connection.rows(READS.storedRun, runId);
  if (row === undefined) return undefined;
  const run = decodeRun(row);
  const [last] = yield* connection.rows(READS.lastOrdinal, runId);
  const lastOrdinal = Number(last?.["ordinal"] ?? -1);
  const waits = (yield* connection.rows(READS.waitRows, runId)).map(decodeWait);
  const ofLoops = lastOrdinal < FEW_ROWS ? undefined : yield* stepsOfLoops(connection, run, waits);
  const steps = withoutPastRounds(ofLoops ?? (yield* stepsWithin(connection, runId, 0, LAST_ORDINAL)));
  const lastEvent = row["event_revision"];
  return {
    now,
    run: withRevision(run, steps, typeof lastEvent === "number" ? lastEvent : null),
    steps,
    lastOrdinal,
    waits,
    inbox: run.inboxSeq === 0 ? [] : (yield* connection.rows(READS.inboxRows, runId)).map(decodeInbox),
    asksAt: row["asks_at"] === null ? null : Number(row["asks_at"]),
  };
}

/**
 * The steps of a run whose blocks at work are loops alone: its own, and what stands at or behind the first round that is needed.
 * Undefined when another block is at work, whose finished scopes may stand anywhere.
 */
function* stepsOfLoops(connection: Connection, run: RunRow, waits: readonly WaitRow[]): Work<readonly StepRow[] | undefined> {
  const { id, versionId } = run;
  const open = yield* connection.rows(READS.openRounds, id);
  const delayed = waits.filter(({ kind }) => kind === "delay").map(({ ordinal }) => ordinal);
  if (open.length + delayed.length === 0 || open.length + delayed.length > FEW_LOOPS) return undefined;
  const rounds = open.map((row) => Number(row["ordinal"]));
  for (const block of delayed) rounds.push(...(yield* connection.rows(READS.lastRound, id, block)).map((row) => Number(row["ordinal"])));
  const first = Math.min(...rounds);
  const [own] = yield* connection.rows(READS.ownSteps, versionId);
  const ownSteps = Number(own?.["steps"]);
  if (first <= ownSteps) return undefined;
  const steps = [...(yield* stepsWithin(connection, id, 0, ownSteps - 1)), ...(yield* stepsWithin(connection, id, first, LAST_ORDINAL))];
  const loops = new Set([...open.map((row) => Number(row["parent"])), ...delayed]);
  const isLoop = ({ kind, finishedAt, ordinal }: StepRow): boolean => kind !== "block" || finishedAt !== null || loops.has(ordinal);
  return steps.every(isLoop) ? steps : undefined;
}

function* stepsWithin(connection: Connection, runId: number, first: number, last: number): Work<readonly StepRow[]> {
  return (yield* connection.rows(READS.stepRows, runId, first, last)).map(decodeStep);
}
