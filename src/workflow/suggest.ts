import { nearest } from "../expressions/nearest.ts";

/** A longer list of what there is does not help anybody. */
const MAX_LISTED = 16;

/** A hint that names the nearest candidate or, when nothing is near and they are few, all of them. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const known = [...candidates];
  const match = nearest(word, known);
  if (match !== undefined) return `Did you mean \`${match}\`?`;
  return known.length === 0 || known.length > MAX_LISTED ? undefined : `There is ${known.map((name) => `\`${name}\``).join(", ")}.`;
}
