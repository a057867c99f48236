import { isJsonObject, type Json, type JsonObject } from "../model/json.ts";
import type { Path } from "./path.ts";

/**
 * Readers for a definition that may still be wrong: what has not the expected type reads as absent. `checkShape` has reported
 * it, and the other checks can go on.
 */
export function asText(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function textOr<Otherwise>(value: Json | undefined, otherwise: Otherwise): string | Otherwise {
  return typeof value === "string" ? value : otherwise;
}

export function numberOr(value: Json | undefined, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

export function asObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function asList(value: Json | undefined): readonly Json[] {
  return isJsonList(value) ? value : [];
}

export function isJsonList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export interface NamedAt {
  readonly name: string;
  readonly path: Path;
}

/** The names of a list that may also be written as one name. */
export function namesIn(value: Json | undefined, path: Path): readonly NamedAt[] {
  if (typeof value === "string") return [{ name: value, path }];
  return asList(value).flatMap((name, index) => (typeof name === "string" ? [{ name, path: [...path, index] }] : []));
}

/** One of the words, as its own type; undefined for anything else. */
export function asChoice<Word extends string>(value: Json | undefined, words: readonly Word[]): Word | undefined {
  return words.find((word) => word === value);
}
