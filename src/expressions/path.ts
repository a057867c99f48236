import type { Segment } from "./simple.ts";

/** What a path found. `mapped`: it went through a list or an index, so it gives a sequence in JSONata's sense. */
export interface PathItems {
  readonly items: readonly unknown[];
  readonly mapped: boolean;
  /** The value is one list that stands in the data, not a sequence that was gathered. */
  readonly isListInData: boolean;
}

function isMember(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The value of a plain path with JSONata's meaning, undefined when there is none: own properties only, lists are mapped over and
 * flattened one level, a sequence of one is its only item. The result may be part of `root` and must not be changed.
 */
export function readPath(root: unknown, segments: readonly Segment[]): unknown {
  let current = root;
  for (const segment of segments) {
    if (typeof segment === "number" || !isMember(current)) return valueOf(readItems(root, segments));
    if (!Object.hasOwn(current, segment)) return undefined;
    current = current[segment];
  }
  return current;
}

/** Like `readPath`, but a sequence stays a list: `[]` or `[x]` where a list was mapped or indexed. */
export function readList(root: unknown, segments: readonly Segment[]): unknown {
  const found = readItems(root, segments);
  return found.mapped && !found.isListInData ? found.items : valueOf(found);
}

/** The items that the next step of a longer path goes over, flattened as JSONata does between two steps. */
export function readStream(root: unknown, segments: readonly Segment[]): readonly unknown[] {
  return readItems(root, segments).items;
}

function valueOf(found: PathItems): unknown {
  return found.isListInData || found.items.length > 1 ? found.items : found.items[0];
}

/** JSONata's path evaluation for names and constant indices (`evaluatePath`, `evaluateStep`, `evaluateFilter`). */
function readItems(root: unknown, segments: readonly Segment[]): PathItems {
  let items: readonly unknown[] = [root];
  let mapped = false;
  let isListInData = false;
  for (let at = 0; at < segments.length; ) {
    const name = segments[at++];
    let indexed = at;
    while (typeof segments[indexed] === "number") indexed++;
    const indices = segments.slice(at, indexed).filter((segment) => typeof segment === "number");
    mapped ||= items.length !== 1 || Array.isArray(items[0]) || indexed > at;
    const results: Found[] = [];
    for (const item of items) {
      let found = lookUp(item, name);
      for (const index of indices) found = pick(found, index);
      if (found.value !== undefined) results.push(found);
    }
    at = indexed;
    const [only] = results;
    const single = results.length === 1 && only !== undefined && Array.isArray(only.value) && !only.isSequence;
    isListInData = single && at === segments.length;
    mapped ||= single && !isListInData;
    items = results.flatMap((found) => found.value);
    if (items.length === 0) break;
  }
  return { items, mapped, isListInData };
}

/** A value, and whether it is a gathered sequence rather than something that stands in the data. */
interface Found {
  readonly value: unknown;
  readonly isSequence: boolean;
}

const ABSENT: Found = { value: undefined, isSequence: false };

function lookUp(item: unknown, name: Segment | undefined): Found {
  if (Array.isArray(item)) {
    const gathered = gather(item, name);
    if (gathered.length > 1) return { value: gathered, isSequence: true };
    return { value: gathered[0], isSequence: false };
  }
  if (typeof name !== "string" || !isMember(item) || !Object.hasOwn(item, name)) return ABSENT;
  return { value: item[name], isSequence: false };
}

function gather(list: readonly unknown[], name: Segment | undefined): readonly unknown[] {
  const gathered: unknown[] = [];
  for (const member of list) {
    const value = Array.isArray(member) ? gather(member, name) : lookUp(member, name).value;
    if (Array.isArray(value)) for (const inner of value) gathered.push(inner);
    else if (value !== undefined) gathered.push(value);
  }
  return gathered;
}

function pick(found: Found, index: number): Found {
  const list: readonly unknown[] = Array.isArray(found.value) ? found.value : [found.value];
  const item = list.at(index);
  if (Array.isArray(item)) return { value: item, isSequence: false };
  return { value: item === undefined ? [] : [item], isSequence: true };
}
