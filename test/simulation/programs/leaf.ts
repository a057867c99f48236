import { isJsonObject, type Json, type JsonObject } from "../../../src/model/json.ts";
import type { StepReason } from "../../../src/model/status.ts";
import type { Behaviour, Draft, Expected, Garden, Node, Passed, Place, Prediction } from "./construct.ts";
import { type JoinTerm, passedBy, refused } from "./join.ts";

/** What every step has that is neither a call nor a choice: one that waits, or a block. */
export interface Leaf extends Node {
  readonly id: string;
  readonly join: JoinTerm;
  readonly onError: "fail" | "skip" | "continue";
  readonly fallback: number | null;
  readonly place: Place;
}

/** How it ends once it may start. */
export type LeafEnd =
  | { readonly ok: true; readonly output: Json; readonly reason?: StepReason; readonly others?: readonly Json[] }
  | { readonly ok: false; readonly reason: StepReason | "any" | null };

/** What a failure counts: whether the operator was called for it, and how many tries of the step it took. */
type Terms = Pick<Expected, "calls" | "failures">;

export const PLAIN: Behaviour = { failures: 0, refuses: null, hangs: false, durationMs: 0, obeys: true, ballast: 0 };

export function growLeaf<K extends string>(garden: Garden, kind: K, prefix: string): Leaf & { readonly kind: K } {
  const { prng, place } = garden;
  garden.left -= 1;
  return {
    kind,
    id: garden.newId(prefix),
    join: prng.pick(["some", "some", "all", "settled"]),
    onError: prng.pick(["fail", "fail", "skip", "continue"]),
    fallback: prng.chance(0.15) ? prng.int(100) : null,
    place,
  };
}

/** Adds the step with what is its own. */
export function writeLeaf(leaf: Leaf, draft: Draft, needs: readonly string[], own: JsonObject): readonly string[] {
  const { id, join, onError, fallback } = leaf;
  draft.steps.set(id, {
    ...own,
    ...(needs.length > 0 ? { needs: [...needs] } : {}),
    join,
    onError,
    ...(fallback === null ? {} : { fallback: { value: fallback } }),
  });
  return [id];
}

/** A step with one of the operators that wait, which the sink hears of like of any call. */
export function writeWaiting(leaf: Leaf, draft: Draft, needs: readonly string[], uses: string, input: JsonObject): readonly string[] {
  draft.calls.set(draft.prefix + leaf.id, {
    behaviour: PLAIN,
    maxAttempts: 1,
    isAtMostOnce: false,
    isConfirmed: false,
    key: null,
  });
  return writeLeaf(leaf, draft, needs, { uses, with: input });
}

export function predictLeaf(
  leaf: Leaf,
  prediction: Prediction,
  before: readonly Passed[],
  terms: Terms,
  end: () => LeafEnd,
): readonly Passed[] {
  return record(leaf, prediction, refused(leaf.join, before, false) ?? settled(leaf, prediction, terms, end()));
}

function settled(leaf: Leaf, prediction: Prediction, terms: Terms, end: LeafEnd): Expected {
  if (!end.ok) return failed(leaf, prediction, terms, end.reason);
  const { output, reason = null, others = [] } = end;
  return { status: "SUCCEEDED", reason, output, calls: terms.calls, failures: 0, others };
}

/** What becomes of a step whose work failed, with all its tries: its fallback, a skip, or a failure that may be the run's. */
export function failed(
  { fallback, onError }: Pick<Leaf, "fallback" | "onError">,
  prediction: Prediction,
  { calls, failures }: Terms,
  reason: Expected["reason"],
): Expected {
  const counted = { calls, failures };
  if (fallback !== null) return { ...counted, status: "SUCCEEDED", reason: "fallback", output: { value: fallback } };
  if (onError === "skip") return { ...counted, status: "SKIPPED", reason: "on_error", output: null };
  if (onError === "fail") prediction.hasFailed = true;
  return { ...counted, status: "FAILED", reason, output: null };
}

export function record({ id, onError }: Pick<Leaf, "id" | "onError">, prediction: Prediction, expected: Expected): readonly Passed[] {
  prediction.steps.set(prediction.prefix + id, expected);
  prediction.ids.push(id);
  return [passedBy(id, expected, onError === "continue")];
}

/** What an operator makes of its input; the simulation's operator and the prediction share nothing else. */
export function outputOf(seed: number, from: Json, { ballast }: Behaviour): JsonObject {
  const before = isJsonObject(from) ? from["value"] : 0;
  const value = (seed + (typeof before === "number" ? before : 0) * 3) % 997;
  return ballast === 0 ? { value } : { value, ballast: "x".repeat(ballast) };
}

/** A name that each item or round has for itself. */
export function ownName(id: string, place: Place): string {
  if (place === "root") return id;
  return place === "item" ? `${id}-{{ item.tag }}` : `${id}-{{ round }}`;
}

/** The same name, as the prediction knows it. */
export function nameIn(id: string, { tag }: Prediction): string {
  return tag === "" ? id : `${id}-${tag}`;
}

/** What is sent under a name: the same for whoever waits for it. */
export function valueOf(name: string): number {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 89;
  return sum;
}
