import type { InboxKind } from "../../../src/ledger/rows.ts";
import type { Batch, Unit } from "../../../src/ledger/writes.ts";
import { pointsAt, type Side } from "../../simulation/oracle/write-points.ts";

/**
 * The commit points of the promises' list that an engine on a SQLite file passes; at each of them it is killed, just before and just
 * after. The others belong to parts that are not there: C16 checkpoints, C30 OAuth, C31 rotation of secrets, C32 audit, C33
 * retention, C38 containers, C39 webhooks, C40 exports.
 */
export const CRASH_POINTS = {
  C01: "a run is inserted",
  C02: "a run is inserted with its idempotency key",
  C03: "a run is stored QUEUED for whoever has room",
  C04: "a start is acknowledged",
  C05: "a run, or a work item, is claimed",
  C06: "a run is read back",
  C07: "a step is recorded RUNNING",
  C08: "an operator is called, and its first byte leaves",
  C09: "a request is out, and its response comes",
  C10: "an operator has its response, and comes back",
  C11: "a large result is written",
  C12: "a result is written",
  C13: "a commit is sent",
  C14: "a commit is answered, and the engine acts on it",
  C15: "a result and the start of what it made ready are one commit",
  C17: "a wait is written",
  C18: "a parked run is taken up because its time has come",
  C19: "a wait ends",
  C20: "a signal or an event is stored",
  C21: "a signal is acknowledged",
  C22: "a signal is consumed by its run",
  C23: "a run parks",
  C24: "a cancel is stored",
  C25: "an operator hears that it must stop",
  C26: "a pause or a resume is stored",
  C27: "a person's or a worker's decision is stored",
  C28: "a worker's lease is renewed",
  C29: "a later engine raises the epoch",
  C34: "a statement of the schema's migration is executed",
  C35: "the file is closed, and its WAL emptied",
  C36: "an engine stops in order",
  C37: "a run ends, and its parent is told",
} as const satisfies Readonly<Record<`C${number}`, string>>;

export type CrashPoint = keyof typeof CRASH_POINTS;

/** When an engine kills itself: at the `nth` time that it comes to this side of the point. */
export interface Crash {
  readonly point: CrashPoint;
  readonly side: Side;
  readonly nth: number;
}

export const POINT_NAMES: readonly CrashPoint[] = Object.keys(CRASH_POINTS).filter((name) => isPoint(name));

export function isPoint(name: string): name is CrashPoint {
  return Object.hasOwn(CRASH_POINTS, name);
}

/** Which points these units of a batch pass, told from their writes alone: the engine needs no calls for the test's sake. */
export function pointsOf(units: Batch["units"]): readonly CrashPoint[] {
  return [...new Set<CrashPoint>(["C13", ...units.flatMap((unit) => pointsIn(unit))])];
}

/** Which points the storing of an inbox row passes. */
export function pointsAccepting(kind: InboxKind): readonly CrashPoint[] {
  if (kind === "cancel") return ["C24"];
  return kind === "pause" || kind === "resume" || kind === "retry" ? ["C26"] : ["C20"];
}

function pointsIn({ writes }: Unit): readonly CrashPoint[] {
  const points: CrashPoint[] = writes.flatMap((write) => pointsAt(write));
  const has = (point: CrashPoint): boolean => points.includes(point);
  if (has("C12") && has("C07")) points.push("C15");
  if (has("C19") && !has("C22") && writes.some(({ write }) => write === "startRun")) points.push("C18");
  return points;
}
