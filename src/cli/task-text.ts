import type { TaskDetail } from "../engine/api.ts";
import { isJsonObject, type Json, type JsonObject } from "../model/json.ts";
import { oneLine, table } from "./layout.ts";

/** What a task is called in a sentence. */
export function nameOf({ title, topic, id }: TaskDetail): string {
  return title === null ? `the ${oneLine(topic ?? "")} work ${id}` : `"${oneLine(title)}"`;
}

/** Who may decide an approval, or which workers take a work item. */
export function whomOf({ type, assignees, groups, topic }: TaskDetail): string {
  if (type === "work") return `workers of ${topic ?? "no topic"}`;
  const named = [...assignees, ...groups.map((group) => `group ${group}`)];
  return named.length === 0 ? "everybody" : named.join(", ");
}

/** A form as a table of what is to be filled in; undefined for a schema that lists no members. */
export function formLines(form: JsonObject): readonly string[] | undefined {
  const { properties, required } = form;
  if (!isJsonObject(properties)) return undefined;
  const isRequired = (name: string): boolean => Array.isArray(required) && required.includes(name);
  return table(
    [{ title: "" }, { title: "" }, { title: "" }, { title: "" }],
    Object.entries(properties).map(([name, schema]) => [name, typeOf(schema), isRequired(name) ? "required" : "", describe(schema)]),
  );
}

function typeOf(schema: Json): string {
  if (!isJsonObject(schema)) return "";
  const { type, enum: values } = schema;
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(" | ");
  if (Array.isArray(type)) return type.join(" | ");
  return typeof type === "string" ? type : "any";
}

function describe(schema: Json): string {
  const description = isJsonObject(schema) ? schema["description"] : undefined;
  return typeof description === "string" ? description : "";
}
