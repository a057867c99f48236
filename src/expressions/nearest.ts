/** The candidate that is a typing mistake away from `name` (at most a third of its letters), undefined when none is. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.floor(name.length / 3) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const found = distance(name.toLowerCase(), candidate.toLowerCase());
    if (found < bestDistance) [best, bestDistance] = [candidate, found];
  }
  return best;
}

/** Edits between two words: Damerau's distance with adjacent swaps (optimal string alignment). */
function distance(left: string, right: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: right.length + 1 }, (_, column) => column);
  let corner = right.length;
  for (let row = 0; row < left.length; row++) {
    const current: number[] = [row + 1];
    let diagonal = row;
    corner = row + 1;
    for (const [column, above] of last.slice(1).entries()) {
      const cost = left[row] === right[column] ? 0 : 1;
      corner = Math.min(above + 1, corner + 1, diagonal + cost);
      const beforeSwap = beforeLast[column - 1];
      if (beforeSwap !== undefined && left[row] === right[column - 1] && left[row - 1] === right[column])
        corner = Math.min(corner, beforeSwap + 1);
      current.push(corner);
      diagonal = above;
    }
    beforeLast = last;
    last = current;
  }
  return corner;
}
