import type { Json } from "../model/json.ts";

/** What a field may hold. Checks and the published JSON Schema are both made from these. */
export type Shape =
  | { readonly kind: "text"; readonly form?: NameForm }
  | { readonly kind: "number"; readonly minimum: number; readonly maximum: number; readonly integer: boolean }
  | { readonly kind: "choice"; readonly values: readonly string[] }
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
  | CompositeShape;

/** Shapes with members. */
export type CompositeShape =
  | { readonly kind: "list"; readonly of: Shape; readonly minItems: number; readonly orOne: boolean }
  | { readonly kind: "map"; readonly of: Shape; readonly keys: NameForm | null }
  /** Any JSON without expressions. */
  | { readonly kind: "constant" }
  | { readonly kind: "steps"; readonly inMap: RecordShape; readonly inList: RecordShape }
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
  /** Exactly one of these sets of fields is present. */
  readonly alternatives?: readonly (readonly string[])[];
  /** Fields of the format that this version does not have. */
  readonly later?: readonly string[];
}

export interface Field {
  readonly shape: Shape;
  /** One sentence for editors. */
  readonly about: string;
  readonly required?: boolean;
  /** Another field without which this one means nothing. */
  readonly needs?: string;
  readonly default?: Json;
}
