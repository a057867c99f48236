import { isTerminalStep } from "../../../src/model/status.ts";
import { undoneBy, undoOf } from "../programs/undo.ts";
import { type RunTrack, type StepTrack, whereIs } from "./tracks.ts";
import type { Looked } from "./unit-rules.ts";

/** A compensation begins: all else has ended, what it undoes succeeded, and it is the next in the order of the workflow. */
export function checkUndoBegins({ violated }: Pick<Looked, "violated">, run: RunTrack, undo: StepTrack): void {
  const where = whereIs(run, undo.path);
  const done = run.byPath.get(undoneBy(undo.path));
  if (done?.status !== "SUCCEEDED") return violated("S1+6", `${where} undoes what is ${done?.status}`);
  const open = [...run.steps.values()].find((step) => step !== undo && step.parent === null && !isTerminalStep(step.status));
  if (open !== undefined) violated("S1+6", `${where} began while step ${open.path} was ${open.status}`);
  const before = undoable(run).find((other) => other !== done && !run.byPath.has(undoOf(other.path)) && isBefore(run, other, done));
  if (before !== undefined) violated("S1+6", `${where} began before ${undoOf(before.path)}`);
}

/** Everything that succeeded was undone if the end of the run calls for it, and nothing if it does not. */
export function checkUndone({ violated }: Pick<Looked, "violated">, run: RunTrack): void {
  const { status, program, insert } = run;
  if (program === undefined) return;
  const due = undoable(run).length;
  const undone = [...run.steps.values()].filter(({ kind }) => kind === "compensation").length;
  const isFor = (cause: "failure" | "cancel"): boolean => program.undo?.on.includes(cause) === true;
  const mayHaveFailed = status === "FAILED" || status === "CANCELLED";
  const isWanted = (status === "FAILED" && isFor("failure")) || (status === "CANCELLED" && isFor("cancel"));
  // the cancel may have come when the run had failed and was being undone
  const isPossible = isWanted || (mayHaveFailed && isFor("failure"));
  const allowed = [...(isWanted ? [] : [0]), ...(isPossible ? [due] : [])];
  if (!allowed.includes(undone)) violated("S1+6", `run ${insert.publicId} is ${status}, and ${undone} of ${due} steps were undone`);
}

/** Steps that succeeded and that something undoes. */
function undoable({ program, byPath }: RunTrack): readonly StepTrack[] {
  const steps = [...(program?.undo?.of.keys() ?? [])].map((id) => byPath.get(id));
  return steps.filter((step): step is StepTrack => step?.status === "SUCCEEDED");
}

/** Whether one step is undone before another. */
function isBefore({ program }: RunTrack, one: StepTrack, other: StepTrack): boolean {
  const endedLater = one.settledAt === other.settledAt ? one.ordinal > other.ordinal : one.settledAt > other.settledAt;
  return program?.undo?.order === "forward" ? !endedLater : endedLater;
}
