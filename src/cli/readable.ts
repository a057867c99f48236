import type { Json } from "../model/json.ts";

/** YAML, which people read more easily than JSON; plain text as it is. */
export async function readable(value: Json): Promise<string> {
  if (typeof value === "string") return value;
  const { stringify } = await import("yaml");
  return stringify(value, { lineWidth: 0 }).trimEnd();
}
