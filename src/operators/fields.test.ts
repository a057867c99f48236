import { expect, test } from "vitest";
import type { Json } from "../model/json.ts";
import { type Fields, readInput } from "./fields.ts";

const read = <Value>(reader: (fields: Fields) => Value, input: Json): Value => readInput("greet", reader, input);

test("a scalar is text, a number or a boolean", () => {
  const scalar = (fields: Fields) => fields.scalar("name") ?? "absent";
  expect(["a", 7, false, null].map((name) => read(scalar, { name }))).toEqual(["a", "7", "false", "absent"]);
  expect(() => read(scalar, { name: [] })).toThrow("greet: name is a list, not a string, number or boolean");
});

test("a null input has no fields", () => {
  expect(read((fields) => fields.text("name") ?? "absent", null)).toBe("absent");
});

test("an unknown field is refused with the fields that there are", () => {
  expect(() => read((fields) => [fields.text("first"), fields.json("last")], { frist: "a" })).toThrow(
    expect.objectContaining({ code: "OPERATOR_INPUT_INVALID", hint: "Known fields: first, last." }),
  );
});
