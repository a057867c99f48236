import { readFile } from "node:fs/promises";
import { StepwellError } from "../model/errors.ts";
import { isJsonObject, type Json } from "../model/json.ts";
import type { Operator } from "../operators/operator.ts";
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

const CONCEALED = "[secret]";

/** The operator with its secrets in its input; `learned` hears their values before the operator does. */
export function withSecrets(
  execute: Operator<Json>,
  slots: readonly SecretSlot[],
  sources: Readonly<Record<string, SecretSource>>,
  learned: (values: readonly string[]) => void,
): Operator<Json> {
  return async (input, context) => {
    const values = await Promise.all(slots.map(({ name }) => readSecret(name, sources[name])));
    learned(values);
    const filled = slots.reduce((whole, { at }, index) => replaceAt(whole, at, values[index] ?? ""), input);
    return execute(filled, context);
  };
}

/** Replaces secrets in every string of a value, names of members included; anything but plain JSON is given back as it is. */
export function concealIn<T>(value: T, secrets: readonly string[]): T {
  return conceal(value, secrets) as T;
}

function conceal(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === "string") return secrets.reduce((text, secret) => text.replaceAll(secret, CONCEALED), value);
  if (Array.isArray(value)) return value.map((member: unknown) => conceal(member, secrets));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [conceal(name, secrets), conceal(member, secrets)]));
}

function replaceAt(value: Json, [head, ...rest]: readonly (string | number)[], replacement: string): Json {
  if (head === undefined) return replacement;
  if (Array.isArray(value)) return value.map((member: Json, index) => (index === head ? replaceAt(member, rest, replacement) : member));
  if (!isJsonObject(value)) return value;
  return { ...value, [head]: replaceAt(value[head] ?? null, rest, replacement) };
}

/** @throws StepwellError `SECRET_UNAVAILABLE`, which names the secret and its source but never a value */
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
