import { readFile } from "node:fs/promises";
import { StepwellError } from "../model/errors.ts";
import { isJsonObject, type Json } from "../model/json.ts";
import type { SecretSource } from "../workflow/graph.ts";

/** A place in a step's `with` where the definition itself says `{ secret: NAME }`. */
export interface SecretSlot {
  readonly at: readonly (string | number)[];
  readonly name: string;
}

/** Finds the slots in the definition's text, so that data which merely looks like a slot at run time stays data. */
export function findSecretSlots(source: Json, at: readonly (string | number)[] = []): readonly SecretSlot[] {
  if (Array.isArray(source)) return source.flatMap((member: Json, index) => findSecretSlots(member, [...at, index]));
  if (!isJsonObject(source)) return [];
  const name = source["secret"];
  if (typeof name === "string" && Object.keys(source).length === 1) return [{ at, name }];
  return Object.entries(source).flatMap(([key, member]) => findSecretSlots(member, [...at, key]));
}

/**
 * Puts the secrets into their slots, in the process that runs the step; the ledger keeps the input without them.
 *
 * @throws StepwellError `SECRET_UNAVAILABLE`, which names the secret and its source but never a value
 */
export async function fillSecrets(
  input: Json,
  slots: readonly SecretSlot[],
  sources: Readonly<Record<string, SecretSource>>,
): Promise<Json> {
  let filled = input;
  for (const slot of slots) filled = replaceAt(filled, slot.at, await readSecret(slot.name, sources[slot.name]));
  return filled;
}

function replaceAt(value: Json, [head, ...rest]: readonly (string | number)[], replacement: string): Json {
  if (head === undefined) return replacement;
  if (Array.isArray(value)) return value.map((member: Json, index) => (index === head ? replaceAt(member, rest, replacement) : member));
  if (!isJsonObject(value)) return value;
  return { ...value, [head]: replaceAt(value[head] ?? null, rest, replacement) };
}

async function readSecret(name: string, source: SecretSource | undefined): Promise<string> {
  if (source === undefined) {
    throw new StepwellError("SECRET_UNAVAILABLE", `secret "${name}" is not declared under "secrets"`);
  }
  if ("env" in source) {
    const value = process.env[source.env];
    if (value !== undefined && value !== "") return value;
    throw new StepwellError("SECRET_UNAVAILABLE", `secret "${name}": the environment variable ${source.env} is not set`, {
      hint: `Set ${source.env} where the engine runs.`,
    });
  }
  try {
    return (await readFile(source.file, "utf8")).trimEnd();
  } catch (cause) {
    throw new StepwellError("SECRET_UNAVAILABLE", `secret "${name}": the file ${source.file} cannot be read`, { cause });
  }
}
