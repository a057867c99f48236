/** What rows of compensations are called: `compensate.charge`. */
export const UNDO_PREFIX = "compensate.";

/** The item or round that the path of a scope ends with, from 0: `lines[3]` → 3. */
export function indexOfPath(path: string): number {
  return Number(path.slice(path.lastIndexOf("[") + 1, -1));
}
