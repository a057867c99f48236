import { invariant } from "../model/errors.ts";
import { canonicalJson } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { DIRECT_FUNCTIONS } from "./direct.ts";
import { Evaluation } from "./evaluation.ts";
import {
  type CheckedFunction,
  type Focus,
  type Frame,
  isCheckedFunction,
  isFunctionValue,
  isNativeFunction,
  type NativeFunction,
} from "./function-value.ts";
import { toPlain } from "./plain.ts";
import { tooMuch } from "./refusal.ts";

/** Below this JSONata's own comparison of each pair is fast enough. */
const PAIRWISE_ITEMS = 64;
/** Ways to divide a text among the parts of a date picture that may be tried. */
const DATE_PARSE_TRIES = 1e7;

/** JSONata's functions that read a clock, draw at random, give away internals, or whose cost is not bounded by their input. */
export function boundedFunctions(library: Frame): ReadonlyMap<string, NativeFunction> {
  const functions = new Map<string, NativeFunction>();
  const replace = (name: string, implementation: (this: Focus, ...values: never[]) => unknown): void => {
    functions.set(name, { ...libraryFunction(library, name), implementation });
  };
  const fromMillis = libraryFunction(library, "fromMillis");
  replace("now", function (this: Focus, picture: unknown, timezone: unknown) {
    return Reflect.apply(fromMillis.implementation, this, [Evaluation.of(this).nowMs, picture, timezone]);
  });
  replace("millis", function (this: Focus) {
    return Evaluation.of(this).nowMs;
  });
  replace("random", function (this: Focus) {
    return Evaluation.of(this).random();
  });
  replace("shuffle", shuffle);
  replace("pad", boundedPad(libraryFunction(library, "pad")));
  replace("join", join);
  replace("sort", boundedSort(libraryFunction(library, "sort")));
  replace("distinct", boundedDistinct(libraryFunction(library, "distinct")));
  replace("spread", safeSpread(libraryFunction(library, "spread")));
  replace("toMillis", boundedToMillis(libraryFunction(library, "toMillis")));
  return functions;
}

/** JSONata's own functions that can be called without its evaluator. */
export function directFunctions(library: Frame): ReadonlyMap<string, CheckedFunction> {
  return new Map(
    DIRECT_FUNCTIONS.map((name) => {
      const native = libraryFunction(library, name);
      invariant(isCheckedFunction(native), `JSONata does not check the arguments of $${name}`);
      return [name, native];
    }),
  );
}

function libraryFunction(library: Frame, name: string): NativeFunction {
  const found = library.lookup(name);
  invariant(isNativeFunction(found), `JSONata has no function $${name}`);
  return found;
}

function shuffle(this: Focus, list: readonly unknown[] | undefined): unknown {
  if (list === undefined) return undefined;
  const evaluation = Evaluation.of(this);
  const shuffled = [...list];
  for (let at = shuffled.length - 1; at > 0; at--) {
    const other = Math.floor(evaluation.random() * (at + 1));
    [shuffled[at], shuffled[other]] = [shuffled[other], shuffled[at]];
  }
  return shuffled;
}

function boundedPad(library: NativeFunction) {
  return function pad(this: Focus, text: unknown, width: number, filler: unknown): unknown {
    if (Math.abs(width) > LIMITS.payloadBytes) throw tooLong();
    return Reflect.apply(library.implementation, this, [text, width, filler]);
  };
}

function join(texts: readonly string[] | undefined, separator: string | undefined): string | undefined {
  if (texts === undefined) return undefined;
  const between = separator ?? "";
  const length = texts.reduce((total, text) => total + text.length + between.length, 0);
  if (length > LIMITS.payloadBytes) throw tooLong();
  return texts.join(between);
}

/** JSONata's merge copies the rest of a run for each item that it takes. */
function boundedSort(library: NativeFunction) {
  return async function sort(this: Focus, list: readonly unknown[] | undefined, comparator: Comparator | undefined): Promise<unknown> {
    if (list === undefined || list.length <= 1) return list;
    if (comparator !== undefined) return mergeSort(list, async (left, right) => Boolean(await comparator.apply(this, [left, right])));
    if (list.every((item) => typeof item === "string") || list.every((item) => typeof item === "number")) return list.toSorted(ascending);
    // The library says what is wrong with the list.
    return Reflect.apply(library.implementation, this, [list, comparator]);
  };
}

function ascending(left: string | number, right: string | number): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

async function mergeSort(
  list: readonly unknown[],
  isAfter: (left: unknown, right: unknown) => Promise<boolean>,
): Promise<readonly unknown[]> {
  if (list.length <= 1) return list;
  const middle = list.length >> 1;
  const left = await mergeSort(list.slice(0, middle), isAfter);
  const right = await mergeSort(list.slice(middle), isAfter);
  const merged: unknown[] = [];
  let at = 0;
  let other = 0;
  while (at < left.length && other < right.length) {
    merged.push((await isAfter(left[at], right[other])) ? right[other++] : left[at++]);
  }
  return merged.concat(left.slice(at), right.slice(other));
}

/** Functions among arguments come as JavaScript functions, or in a tail call as JSONata's own objects; both have `apply`. */
interface Comparator {
  apply(focus: Focus, values: readonly unknown[]): unknown;
}

/** JSONata compares each pair. */
function boundedDistinct(library: NativeFunction) {
  return function distinct(this: Focus, list: unknown): unknown {
    if (!Array.isArray(list) || list.length <= PAIRWISE_ITEMS) return Reflect.apply(library.implementation, this, [list]);
    const seen = new Set<string>();
    const kept = Reflect.get(list, "sequence") === true ? this.createSequence() : [];
    for (const item of list) {
      const key = canonicalJson(toPlain(item));
      if (seen.has(key)) continue;
      seen.add(key);
      kept.push(item);
    }
    return kept;
  };
}

/** JSONata would take a built-in function apart, and its parts are functions without a check of their arguments. */
function safeSpread(library: NativeFunction) {
  return function spread(this: Focus, value: unknown): unknown {
    const parts = Array.isArray(value) ? value.filter((part) => !isFunctionValue(part)) : value;
    return isFunctionValue(parts) ? parts : Reflect.apply(library.implementation, this, [parts]);
  };
}

/** What a picture leaves open is taken from the clock; and a picture becomes a regular expression that backtracks. */
function boundedToMillis(library: NativeFunction) {
  return function toMillis(this: Focus, text: string | undefined, picture: string | undefined): unknown {
    if (text !== undefined && picture !== undefined && triesOf(text, picture) > DATE_PARSE_TRIES) {
      throw tooMuch("the text is too long for a date picture whose parts follow each other without a separator");
    }
    const { environment } = this;
    environment.base.timestamp.setTime(Evaluation.of(this).nowMs);
    return Reflect.apply(library.implementation, this, [text, picture]);
  };
}

/** In how many ways the parts of a picture that no certain separator ends could share the text: n over k. */
function triesOf(text: string, picture: string): number {
  const open = [...picture.matchAll(/\][A-Za-z0-9, -]*(?=\[|$)/g)].length;
  let tries = 1;
  for (let part = 0; part < Math.min(open, text.length); part++) tries *= (text.length - part) / (part + 1);
  return tries;
}

function tooLong(): Error {
  return tooMuch(`a text grows longer than ${LIMITS.payloadBytes} characters`);
}
