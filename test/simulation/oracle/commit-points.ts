import type { InboxKind } from "../../../src/ledger/rows.ts";
import type { Batch, Unit } from "../../../src/ledger/writes.ts";
import { pointsAt } from "./write-points.ts";

/** The commit points of the promises' list that this engine has; at each a process may die just before and just after. */
export const COMMIT_POINTS = {
  C01: "a run is inserted",
  C02: "a run is inserted with its idempotency key",
  C03: "a run is stored QUEUED for whoever has room",
  C05: "an engine claims the ledger or a run",
  C06: "the claim is answered",
  C07: "a step is recorded RUNNING",
  C08: "an operator is called",
  C10: "an operator came back, and nothing is written yet",
  C11: "a large result is written",
  C12: "a result is written",
  C13: "a commit is sent, and its answer is not read",
  C14: "a commit is answered",
  C15: "a result and the start of what it made ready are one commit",
  C17: "a wait is written",
  C18: "a parked run is taken up because its time has come",
  C19: "a wait ends",
  C20: "a signal is stored",
  C21: "a signal is acknowledged",
  C22: "a signal is consumed by its run",
  C23: "a run parks",
  C24: "a cancel is stored",
  C25: "an operator hears that it must stop",
  C26: "a pause or a resume is stored",
  C27: "an approval is decided",
  C28: "a worker keeps the lease of its task",
  C29: "a later engine raises the epoch and takes over",
  C36: "an engine stops in order",
  C37: "a run ends, and its parent is told",
} as const satisfies Readonly<Record<`C${number}`, string>>;

export type CommitPoint = keyof typeof COMMIT_POINTS;

/** What nothing passes that was written before there were tasks. */
const SINCE_2: ReadonlySet<CommitPoint> = new Set(["C27", "C28"]);

export function pointNames(): readonly [CommitPoint, ...CommitPoint[]] {
  const [first, ...others] = Object.keys(COMMIT_POINTS).filter(isPoint);
  if (first === undefined) throw new Error("there are no commit points");
  return [first, ...others];
}

/** Points that the vocabulary of a number has. */
export function pointsIn(vocabulary: number): readonly [CommitPoint, ...CommitPoint[]] {
  const [first, ...others] = pointNames();
  return [first, ...others.filter((point) => vocabulary >= 2 || !SINCE_2.has(point))];
}

function isPoint(name: string): name is CommitPoint {
  return Object.hasOwn(COMMIT_POINTS, name);
}

/** Which points a batch passes, told from its writes alone: the engine needs no calls for the simulation's sake. */
export function pointsOf({ units }: Batch): readonly CommitPoint[] {
  return [...new Set<CommitPoint>(["C13", ...units.flatMap((unit) => pointsPassed(unit))])];
}

/** Which points the storing of an inbox row passes. */
export function pointsAccepting(kind: InboxKind): readonly CommitPoint[] {
  if (kind === "cancel") return ["C20", "C24"];
  return kind === "pause" || kind === "resume" || kind === "retry" ? ["C20", "C26"] : ["C20"];
}

function pointsPassed(unit: Unit): readonly CommitPoint[] {
  const points: CommitPoint[] = unit.writes.flatMap((write) => pointsAt(write));
  const has = (point: CommitPoint): boolean => points.includes(point);
  if (has("C12") && has("C07")) points.push("C15");
  if (unit.writes.some((write) => write.write === "startRun" && write.reason === "recovered")) points.push("C29");
  if (has("C19") && unit.writes.some(({ write }) => write === "startRun")) points.push("C18");
  return points;
}
