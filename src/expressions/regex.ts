import type { RE2JS } from "re2js";
import { Refusal } from "./refusal.ts";

/** What JSONata expects of a matcher: the match, where it is, and how to get the next one. */
interface MatchFound {
  readonly match: string;
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
  readonly next: () => MatchFound | undefined;
}

export type Matcher = (text: string, from?: number) => MatchFound | undefined;

/**
 * A regular expression as JSONata calls it, matched in time linear in the text.
 *
 * @param spend told the characters that may be looked at before each search; throws when there were too many
 */
export function matcherOf(pattern: RE2JS, spend: (characters: number) => void): Matcher {
  const search: Matcher = (text, from = 0) => {
    spend(text.length - from);
    const matcher = pattern.matcher(text);
    if (!matcher.find(from)) return undefined;
    const start = matcher.start();
    const end = matcher.end();
    const groups = Array.from({ length: matcher.groupCount() }, (_, index) => matcher.group(index + 1) ?? undefined);
    const next = (): MatchFound | undefined => (end >= text.length ? undefined : nextMatch(search(text, end), pattern));
    return { match: text.slice(start, end), start, end, groups, next };
  };
  return search;
}

function nextMatch(found: MatchFound | undefined, pattern: RE2JS): MatchFound | undefined {
  if (found?.match !== "") return found;
  throw new Refusal(
    "EXPRESSION_FAILED",
    `/${pattern.pattern()}/ matches the empty text again and again`,
    "Make it match at least one character.",
  );
}
