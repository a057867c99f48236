import { expect, test } from "vitest";
import { operatorContext } from "../../../test/fixtures/operator-context.ts";
import type { Json } from "../../model/json.ts";
import { logDefinition } from "./definition.ts";
import { log } from "./execute.ts";

const check = (source: Json) => logDefinition.check?.({ source, references: [], isConstant: true, evaluate: () => source }) ?? [];

test("S1-24 a line goes to the step's own log, with level and fields, and the output is null", () => {
  const context = operatorContext();
  const input = { level: "warn", message: "stock is low", fields: { sku: "KETTLE-1", left: 2 } };
  expect(log(input, context)).toBeNull();
  expect(context.lines).toEqual([{ level: "warn", message: "stock is low", fields: { sku: "KETTLE-1", left: 2 } }]);
});

test("the level is info and the fields are none unless given; a number is a message too", () => {
  const context = operatorContext();
  void log({ message: 7 }, context);
  expect(context.lines).toEqual([{ level: "info", message: "7", fields: {} }]);
});

test.each([
  [{}, "FIELD_MISSING", "message"],
  [{ message: "a", level: "loud" }, "FIELD_INVALID", "level"],
  [{ message: ["a"] }, "FIELD_INVALID", "message"],
  [{ message: "a", fields: "b" }, "FIELD_INVALID", "fields"],
  [{ message: "a", text: "b" }, "FIELD_UNKNOWN", "text"],
])("%j is refused in the definition and at run time", (input, code, path) => {
  expect(check(input)).toEqual([expect.objectContaining({ code, path })]);
  expect(() => log(input, operatorContext())).toThrow(
    expect.objectContaining({ code: "OPERATOR_INPUT_INVALID", data: { operator: "log", fields: [path] } }),
  );
});

test("expressions are taken on trust until the step runs", () => {
  expect(check({ level: "{{ vars.level }}", message: "{{ input }}", fields: "{{ input }}" })).toEqual([]);
});
