import type { Json } from "../../../src/model/json.ts";
import type { Construct, Prediction, Stimulus } from "./construct.ts";
import { growLeaf, type Leaf, type LeafEnd, nameIn, ownName, predictLeaf, valueOf, writeWaiting } from "./leaf.ts";
import { type Bound, boundEnd, boundIn, growBound } from "./signal.ts";

/** A wait for events that are about this run and this step: one, any of several, or all. */
interface EventWait extends Leaf, Bound {
  readonly kind: "event";
  readonly mode: "any" | "all";
  /** Of each event: whether it is optional, and whether it comes. */
  readonly members: readonly { readonly isOptional: boolean; readonly comes: boolean }[];
}

const NAMES = ["paid", "shipped", "seen"] as const;

export const event: Construct<EventWait> = {
  kind: "event",
  weight: 2,
  atLeast: 1,
  needsOwnName: true,
  grow: (garden) => {
    const { prng } = garden;
    const mode = prng.pick<"any" | "all">(["any", "all"]);
    const chosen = prng.int(NAMES.length);
    const members = NAMES.slice(0, prng.between(1, 3)).map((_, index, { length }) => {
      const isOptional = mode === "all" && index > 0 && prng.chance(0.4);
      // of `any` exactly one comes, and of what a block makes its result nothing is optional: the rest could not be known before
      const mayCome = garden.place === "root" && prng.chance(0.5);
      return { isOptional, comes: mode === "any" ? index === chosen % length : !isOptional || mayCome };
    });
    return { ...growLeaf(garden, "event", "e"), ...growBound(garden), mode, members };
  },
  write: (node, draft, needs) => {
    const events = node.members.map(({ isOptional }, index) => ({
      event: nameOf(index),
      where: { run: "{{ run.id }}", key: ownName(node.id, node.place) },
      ...(isOptional ? { optional: true } : {}),
    }));
    return writeWaiting(node, draft, needs, "wait", { events, mode: node.mode, ...boundIn(node) });
  },
  predict: (node, prediction, before) =>
    predictLeaf(node, prediction, before, { calls: true, failures: 1 }, () => {
      const coming = node.members.map(({ comes }, index) => (node.isSent && comes ? stimulusOf(node, prediction, index) : null));
      prediction.stimuli.push(...coming.filter((stimulus) => stimulus !== null));
      return boundEnd(node, prediction) ?? endOf(node, prediction, coming);
    }),
};

function endOf({ mode, members }: EventWait, { seen }: Prediction, coming: readonly (Stimulus | null)[]): LeafEnd {
  const told = coming.map((stimulus) => (stimulus === null ? null : toldOf(stimulus, seen.publicId)));
  if (mode === "any") return { ok: true, output: told.find((one) => one !== null) ?? null };
  // an optional one may come in time or not
  const optional = members.flatMap(({ isOptional }, index) => (isOptional && told[index] !== null ? [index] : []));
  const others = Array.from({ length: 2 ** optional.length - 1 }, (_, choice) =>
    told.map((one, index) => (optional.includes(index) && ((choice + 1) >> optional.indexOf(index)) % 2 === 1 ? null : one)),
  );
  return { ok: true, output: told, others };
}

function stimulusOf(node: EventWait, prediction: Prediction, index: number): Stimulus & { readonly kind: "event" } {
  const key = nameIn(node.id, prediction);
  return { kind: "event", event: nameOf(index), key, value: valueOf(key + nameOf(index)) };
}

/** An event of one run; the same text is the same event. */
export function eventId(publicId: string, { event: name, key }: Stimulus & { readonly kind: "event" }): string {
  return `${publicId}/${name}/${key}`;
}

function toldOf(stimulus: Stimulus, publicId: string): Json {
  if (stimulus.kind !== "event") return null;
  const { event: name, key, value } = stimulus;
  return { event: name, id: eventId(publicId, stimulus), data: { run: publicId, key, value } };
}

function nameOf(index: number): string {
  return NAMES[index] ?? NAMES[0];
}
