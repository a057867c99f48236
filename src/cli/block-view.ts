/** How far the items of a foreach or the rounds of a loop are. */
export interface BlockView {
  readonly kind: "foreach" | "loop";
  readonly done: number;
  readonly failed: number;
  /** Items of the list, or rounds at most. */
  readonly total: number;
}

/** `3/10, 1 failed` for items, `round 2/5` for rounds. */
export function blockText({ kind, done, failed, total }: BlockView, isOpen: boolean): string {
  const failures = failed === 0 ? "" : `, ${failed} failed`;
  if (kind === "foreach") return `${done}/${total}${failures}`;
  return isOpen ? `round ${Math.min(done + 1, total)}/${total}` : `${done} ${done === 1 ? "round" : "rounds"}${failures}`;
}
