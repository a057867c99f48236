import type { Json } from "../model/json.ts";

/** What a field may hold. Checks and the published JSON Schema are both made from these. */
export type Shape = LeafShape | CompositeShape;

/** Shapes without members. */
export type LeafShape =
  | { readonly kind: "text"; readonly form?: NameForm }
  | NumberShape
  | ChoiceShape
  /** A number of milliseconds or a text that `parseDuration` understands. */
  | { readonly kind: "duration"; readonly positive: boolean }
  /** A mark that is there or not. */
  | { readonly kind: "onlyTrue" }
  /** True, false, or an expression with or without its braces. */
  | { readonly kind: "condition" }
  /** Any JSON; strings may hold `{{ }}`. */
  | { readonly kind: "template" }
  /** A JSON Schema 2020-12 as an object. */
  | { readonly kind: "schema" }
  /** A text, or a whole number that is read as one. */
  | { readonly kind: "version" }
  /** A list, or an expression that gives one. */
  | { readonly kind: "items" }
  /** A whole number, or a text like `10%`. */
  | { readonly kind: "tolerance" }
  /** A text, with an expression as a rule, by whose value runs are told apart. */
  | { readonly kind: "key" }
  /** A duration with a unit that may be negative, or a text with an expression. */
  | { readonly kind: "priority" };

export interface NumberShape {
  readonly kind: "number";
  readonly minimum: number;
  readonly maximum: number;
  readonly integer: boolean;
  /** What to do about a wrong one. */
  readonly hint?: string;
}

export interface ChoiceShape {
  readonly kind: "choice";
  readonly values: readonly string[];
  /** Words that somebody may expect here, and what to write instead. */
  readonly instead?: Readonly<Record<string, string>>;
}

/** Shapes with members. */
export type CompositeShape =
  | { readonly kind: "list"; readonly of: Shape; readonly minItems: number; readonly maxItems?: number; readonly orOne: boolean }
  /** A shape, or a plain value that stands for a common case of it. `means`: both in words. */
  | { readonly kind: "short"; readonly value: LeafShape; readonly for: Shape; readonly means: string }
  | { readonly kind: "map"; readonly of: Shape; readonly keys: NameForm | null }
  /** Any JSON without expressions. */
  | { readonly kind: "constant" }
  /** The form of a step; a function, because a step can have steps. */
  | { readonly kind: "steps"; readonly of: (place: "map" | "list") => RecordShape }
  | RecordShape;

/** How a name is written. */
export interface NameForm {
  readonly pattern: string;
  /** The pattern in words: "A name has …". */
  readonly means: string;
  readonly maxLength: number;
}

export interface RecordShape {
  readonly kind: "record";
  /** What the record is called in a message, with its article. */
  readonly title: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** Exactly one of these sets of fields is present; a set has a field that no other has. */
  readonly alternatives?: readonly (readonly string[])[];
  /** At least one of these fields is present. */
  readonly someOf?: readonly string[];
  /** Two fields that exclude each other. */
  readonly exclusive?: readonly [string, string];
  /** What to do about two such fields. */
  readonly exclusiveHint?: string;
  /** What to do instead when a field stands where it means nothing, by a field that stands beside it. */
  readonly advice?: Readonly<Record<string, string>>;
  /** Names that are no fields, and what to write instead. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Fields of the format that this version does not have. */
  readonly later?: readonly string[];
}

export interface Field {
  readonly shape: Shape;
  /** One sentence for editors. */
  readonly about: string;
  readonly required?: boolean;
  /** Other fields without which this one means nothing: one of each group. */
  readonly needs?: readonly (readonly string[])[];
  readonly default?: Json;
}
