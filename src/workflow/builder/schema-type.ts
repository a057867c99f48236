import type { Json, JsonObject } from "../../model/json.ts";

/** The type of the values that a JSON Schema allows, as far as `type`, `properties`, `required`, `items`, `enum` and `const` tell. */
export type FromSchema<Schema> = Schema extends { readonly const: infer Value }
  ? Value
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : Schema extends { readonly type: readonly (infer Name)[] }
      ? Named<Name, Schema>
      : Schema extends { readonly type: infer Name }
        ? Named<Name, Schema>
        : Json;

/** Distributes over several type names. */
type Named<Name, Schema> = Name extends "string"
  ? string
  : Name extends "number" | "integer"
    ? number
    : Name extends "boolean"
      ? boolean
      : Name extends "null"
        ? null
        : Name extends "array"
          ? readonly FromSchema<Schema extends { readonly items: infer Items } ? Items : unknown>[]
          : Name extends "object"
            ? ObjectOf<Schema>
            : Json;

type ObjectOf<Schema> = Schema extends { readonly properties: infer Properties }
  ? { readonly [Name in keyof Properties & RequiredBy<Schema>]: FromSchema<Properties[Name]> } & {
      readonly [Name in Exclude<keyof Properties, RequiredBy<Schema>>]?: FromSchema<Properties[Name]>;
    }
  : JsonObject;

type RequiredBy<Schema> = Schema extends { readonly required: readonly (infer Name)[] } ? Name : never;
