import { isJsonObject, type Json, type JsonObject } from "../../../src/model/json.ts";
import { type Call, growSafeCall, predictCall, writeCall } from "./call.ts";
import type { Draft, Garden, Node, Place, Prediction, Predictor, Writer } from "./construct.ts";

/** The steps of a block: a call that cannot fail, and parts behind it. */
export interface Body {
  readonly first: Call;
  readonly parts: readonly Node[];
}

export interface BodyEnd {
  readonly hasFailed: boolean;
  /** Outputs by step id: what an item or round gives when nothing else is said. */
  readonly output: JsonObject;
  readonly first: number;
}

export function growBody(garden: Garden, depth: number, place: Place): Body {
  const outside = garden.place;
  garden.place = place;
  garden.nesting += 1;
  const first = growSafeCall(garden);
  const parts = garden.parts(garden.prng.between(0, 2), depth + 1);
  garden.place = outside;
  garden.nesting -= 1;
  return { first, parts };
}

export function writeBody({ first, parts }: Body, draft: Draft, blockId: string, write: Writer): JsonObject {
  const inside: Draft = { ...draft, steps: new Map(), prefix: `${draft.prefix}${blockId}.` };
  const written = writeCall(first, inside, []);
  parts.reduce<readonly string[]>((before, part, index) => write(part, inside, index % 2 === 0 ? written : before), written);
  return Object.fromEntries(inside.steps);
}

export interface ScopeTerms {
  readonly prefix: string;
  readonly plus: number;
  readonly tag: string;
}

export function predictBody({ first, parts }: Body, prediction: Prediction, terms: ScopeTerms, predict: Predictor): BodyEnd {
  const inside: Prediction = { ...prediction, ...terms, ids: [], hasFailed: false };
  const passed = predictCall(first, inside, []);
  parts.reduce((before, part, index) => predict(part, inside, index % 2 === 0 ? passed : before), passed);
  const outputs = inside.ids.map((id): [string, Json] => {
    const expected = inside.steps.get(inside.prefix + id);
    return [id, expected?.status === "SUCCEEDED" ? expected.output : null];
  });
  const value = inside.steps.get(inside.prefix + first.id)?.output;
  return { hasFailed: inside.hasFailed, output: Object.fromEntries(outputs), first: numberIn(value ?? null) };
}

export function numberIn(value: Json): number {
  const number = isJsonObject(value) ? value["value"] : undefined;
  return typeof number === "number" ? number : 0;
}
