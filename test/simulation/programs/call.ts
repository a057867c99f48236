import type { JsonObject } from "../../../src/model/json.ts";
import type { Behaviour, Construct, Draft, Expected, Garden, Node, Passed, Place, PlannedCall, Prediction, Undo } from "./construct.ts";
import { type JoinTerm, notRun, refused } from "./join.ts";
import { failed, nameIn, outputOf, ownName, PLAIN, record, valueOf } from "./leaf.ts";
import { growUndo, writeUndo } from "./undo.ts";

/** One step with an operator. */
export interface Call extends Node {
  readonly kind: "call";
  readonly id: string;
  readonly seed: number;
  readonly behaviour: Behaviour;
  /** Total tries; 1 is no retry. */
  readonly maxAttempts: number;
  readonly delayMs: number;
  readonly onError: "fail" | "skip" | "continue";
  readonly fallback: number | null;
  readonly isAtMostOnce: boolean;
  /** What a person says of it after a crash that hid its outcome; null: nobody is asked. */
  readonly confirmed: { readonly isApproved: boolean } | null;
  readonly join: JoinTerm;
  /** Takes the output of the only step before it as part of its input. */
  readonly refers: boolean;
  readonly hasKey: boolean;
  /** Milliseconds after which an attempt has timed out; set for one that hangs. */
  readonly timeoutMs: number | null;
  readonly place: Place;
  /** Its operator waits for a signal first, and does its work when it is told of it. */
  readonly holds: boolean;
  /** Null: nothing undoes it. */
  readonly undo: Undo | null;
}

export const call: Construct<Call> = {
  kind: "call",
  weight: 5,
  atLeast: 1,
  grow: (garden) => growCall(garden),
  write: (node, draft, needs) => writeCall(node, draft, needs),
  predict: (node, prediction, before) => predictCall(node, prediction, before),
};

/** A call whose success is certain: nothing that a crash does can change what becomes of it. */
export function growSafeCall(garden: Garden): Call {
  return {
    ...growCall(garden),
    behaviour: PLAIN,
    maxAttempts: 1,
    timeoutMs: null,
    isAtMostOnce: false,
    confirmed: null,
    fallback: null,
    onError: "fail",
    holds: false,
  };
}

export function growCall(garden: Garden): Call {
  const { prng, place } = garden;
  garden.left -= 1;
  const hangs = prng.chance(0.05);
  const maxAttempts = prng.chance(0.5) ? prng.between(2, 4) : 1;
  return {
    kind: "call",
    id: garden.newId("c"),
    seed: prng.int(100),
    behaviour: {
      failures: prng.chance(0.25) ? prng.between(1, 4) : prng.chance(0.08) ? Number.POSITIVE_INFINITY : 0,
      refuses: place !== "root" && prng.chance(0.15) ? prng.int(5) : null,
      hangs,
      durationMs: prng.chance(0.5) ? 0 : prng.pick([1, 10, 80, 900]),
      obeys: prng.chance(0.7),
      ballast: prng.chance(0.05) ? 2_000 : 0,
    },
    maxAttempts,
    delayMs: prng.pick([0, 5, 5, 40, 300, 2_000, 9_000, 40_000]),
    onError: prng.pick(["fail", "fail", "skip", "continue"]),
    fallback: prng.chance(0.15) ? prng.int(100) : null,
    isAtMostOnce: prng.chance(0.15),
    join: prng.pick(["some", "some", "all", "settled"]),
    refers: prng.chance(0.5),
    hasKey: prng.chance(0.15),
    timeoutMs: hangs ? prng.pick([10, 100, 1_000]) : null,
    place,
    holds: prng.chance(0.1),
    undo: place === "root" && garden.vocabulary >= 2 ? growUndo(prng) : null,
    confirmed: garden.vocabulary >= 3 && prng.chance(0.25) ? { isApproved: prng.chance(0.6) } : null,
  };
}

/** What the definition says of a crash; a step that must not start twice asks nobody. */
function deliveryOf({ isAtMostOnce, confirmed }: Call): JsonObject {
  if (isAtMostOnce) return { delivery: "at-most-once" };
  return confirmed === null ? {} : { delivery: "confirm" };
}

export function writeCall(node: Call, draft: Draft, needs: readonly string[], extra: JsonObject = {}): readonly string[] {
  const { id, behaviour, seed, onError, join } = node;
  const before = referred(node, needs);
  draft.steps.set(id, {
    uses: node.holds ? "hold" : "act",
    with: {
      seed,
      ...(before === undefined ? {} : { from: `{{ steps.${before}.output }}` }),
      ...(node.place === "root" ? {} : { plus: node.place === "item" ? "{{ item.n }}" : "{{ carry.value + round }}" }),
      ...(node.holds ? { name: ownName(`h${id}`, node.place) } : {}),
    },
    ...(needs.length > 0 ? { needs: [...needs] } : {}),
    onError,
    join,
    ...(node.maxAttempts === 1
      ? {}
      : { retry: { strategy: "fixed", maxAttempts: node.maxAttempts, initialDelay: node.delayMs, maxDelay: node.delayMs } }),
    ...(node.fallback === null ? {} : { fallback: { value: node.fallback } }),
    ...deliveryOf(node),
    ...(node.hasKey ? { idempotencyKey: `key-${id}` } : {}),
    ...(node.timeoutMs === null ? {} : { timeout: node.timeoutMs }),
    ...(node.undo === null ? {} : writeUndo(id, node.undo, draft)),
    ...extra,
  });
  const planned: PlannedCall = {
    behaviour,
    maxAttempts: node.maxAttempts,
    isAtMostOnce: node.isAtMostOnce,
    isConfirmed: !node.isAtMostOnce && node.confirmed !== null,
    key: node.hasKey ? `key-${id}` : null,
  };
  draft.calls.set(draft.prefix + id, planned);
  if (planned.isConfirmed && node.confirmed !== null)
    draft.tasks.set(draft.prefix + id, { type: "approval", isDecided: true, isApproved: node.confirmed.isApproved, isNamed: false });
  return [id];
}

export function predictCall(node: Call, prediction: Prediction, before: readonly Passed[]): readonly Passed[] {
  return record(node, prediction, heldBack(node, before) ?? ranWith(node, prediction, before));
}

/** Its end once it may start. */
export function ranWith(node: Call, prediction: Prediction, before: readonly Passed[]): Expected {
  const { behaviour, maxAttempts, seed, id } = node;
  const { plus, seen, prefix } = prediction;
  const isLost = seen.isUnknown(prefix + id);
  const name = nameIn(`h${id}`, prediction);
  if (node.holds) prediction.stimuli.push({ kind: "signal", name, value: valueOf(name) });
  const given = plus + (node.holds ? valueOf(name) : 0);
  const isRefused = refuses(behaviour, plus);
  const failures = behaviour.hangs || isRefused ? maxAttempts : Math.min(behaviour.failures, maxAttempts);
  const fails = isLost || failures >= maxAttempts;
  const counted = { calls: true, failures };
  if (fails) return failed(node, prediction, counted, isLost ? "outcome_unknown" : behaviour.hangs ? "timeout" : null);
  const from = sourceOf(node, before)?.output ?? null;
  return { ...counted, status: "SUCCEEDED", reason: null, output: outputOf(seed + given * 7, from, behaviour) };
}

/** Its end when its `when` is false. */
export function leftOut(node: Call, prediction: Prediction, before: readonly Passed[]): readonly Passed[] {
  return record(node, prediction, heldBack(node, before) ?? notRun("SKIPPED", "when"));
}

/** Its end when what it needs keeps it from starting. */
function heldBack(node: Call, before: readonly Passed[]): Expected | undefined {
  return refused(node.join, before, sourceOf(node, before) !== undefined);
}

/** What it is given is something that it never takes. */
export function refuses({ refuses: rest }: Behaviour, plus: number): boolean {
  return rest !== null && plus % 5 === rest;
}

/** The step whose output it takes: a clean-up step takes none, because what it waits for may not have run. */
function referred({ refers, join }: Call, needs: readonly string[]): string | undefined {
  return refers && join !== "settled" && needs.length === 1 ? needs[0] : undefined;
}

/** The same step, as the prediction knows it. */
function sourceOf(node: Call, before: readonly Passed[]): Passed | undefined {
  const needs = before.map(({ id }) => id);
  const source = referred(node, needs);
  return before.find(({ id }) => id === source);
}
