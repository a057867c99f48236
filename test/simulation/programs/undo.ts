import type { JsonObject } from "../../../src/model/json.ts";
import type { Prng } from "../time/prng.ts";
import type { Behaviour, Draft, Expected, Undo, UndoPolicy } from "./construct.ts";
import { outputOf, PLAIN } from "./leaf.ts";

const PREFIX = "compensate.";

/** The path of what undoes a step. */
export function undoOf(id: string): string {
  return PREFIX + id;
}

/** The step that a path undoes. */
export function undoneBy(path: string): string {
  return path.slice(PREFIX.length);
}

export function growUndo(prng: Prng): Undo | null {
  if (!prng.chance(0.4)) return null;
  return {
    seed: prng.int(100),
    failures: prng.chance(0.25) ? prng.between(1, 3) : 0,
    maxAttempts: prng.between(1, 3),
    delayMs: prng.pick([0, 5, 300, 9_000]),
    durationMs: prng.chance(0.5) ? 0 : prng.pick([1, 10, 80]),
  };
}

export function growPolicy(prng: Prng): UndoPolicy {
  return {
    order: prng.pick(["backward", "backward", "forward"]),
    on: prng.pick([["failure"], ["failure"], ["failure", "cancel"], ["cancel"]]),
  };
}

/** What the step says of it. */
export function writeUndo(id: string, undo: Undo, draft: Draft): JsonObject {
  const { seed, maxAttempts, delayMs } = undo;
  draft.undos.set(id, undo);
  draft.calls.set(undoOf(id), { behaviour: behaviourOf(undo), maxAttempts, isAtMostOnce: false, isConfirmed: false, key: null });
  return {
    compensate: {
      uses: "act",
      with: { seed, from: `{{ steps.${id}.output }}` },
      retry: { strategy: "fixed", maxAttempts, initialDelay: delayMs, maxDelay: delayMs },
    },
  };
}

/** How it ends; one that fails for good keeps nothing else from being undone. */
export function undoEnd(undo: Undo, { output }: Expected): Expected {
  const { failures, maxAttempts, seed } = undo;
  if (failures >= maxAttempts) return { status: "FAILED", reason: null, output: null, calls: true, failures: maxAttempts };
  return { status: "SUCCEEDED", reason: null, output: outputOf(seed, output, behaviourOf(undo)), calls: true, failures };
}

function behaviourOf({ failures, durationMs }: Undo): Behaviour {
  return { ...PLAIN, failures, durationMs };
}
