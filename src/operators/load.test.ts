import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { operatorContext } from "../../test/fixtures/operator-context.ts";
import { loadOperator, loadOperators } from "./load.ts";

const NAMED = join(import.meta.dirname, "../../test/fixtures/operators/named.ts");
const directory = mkdtempSync(join(tmpdir(), "operators-"));

function moduleFile(name: string, source: string): string {
  const file = join(directory, name);
  writeFileSync(file, source);
  return file;
}

test("named exports of a TypeScript file are operators", async () => {
  const { operators, moduleUrl } = await loadOperators(NAMED);
  expect([...operators.keys()]).toEqual(["charge", "refund"]);
  const charge = operators.get("charge");
  expect(await (typeof charge === "function" ? charge(21, operatorContext()) : undefined)).toBe(42);
  expect(moduleUrl).toBe(pathToFileURL(NAMED).href);
});

test("a path is taken from the working directory", async () => {
  const { operators } = await loadOperators(relative(process.cwd(), NAMED));
  expect(operators.size).toBe(2);
});

test("the members of a default export are operators, and may be exported by name as well", async () => {
  const file = moduleFile("grouped.mjs", `export const ship = () => 1; export default { ship, "stock.check": () => 2 };`);
  expect(new Set((await loadOperators(file)).operators.keys())).toEqual(new Set(["ship", "stock.check"]));
});

test("S1+2 an operator may be an object of execute and resume", async () => {
  const source = "export const pay = { execute: () => 1, resume: () => 2 }; export const half = { execute: () => 1 };";
  const { operators } = await loadOperators(moduleFile("resumable.mjs", source.slice(0, source.indexOf("export const half"))));
  expect(operators.get("pay")).toMatchObject({ execute: expect.any(Function), resume: expect.any(Function) });
  await expect(loadOperators(moduleFile("half.mjs", source))).rejects.toThrow('"half" is an object, not a function');
  const execute = await loadOperator(pathToFileURL(join(directory, "resumable.mjs")).href, "pay");
  expect(execute(null, operatorContext())).toBe(1);
});

/** In a process of its own: the test runner changes how CommonJS is imported. */
test("a CommonJS module's exports are operators", () => {
  const file = moduleFile("common.cjs", "module.exports = { pack: () => 1 }; module.exports.ship = () => 2;");
  const script = `import { loadOperators } from ${JSON.stringify(new URL("load.ts", import.meta.url).href)};
    const { operators } = await loadOperators(${JSON.stringify(file)});
    console.log(JSON.stringify([...operators.keys()].toSorted()));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual(["pack", "ship"]);
});

test("everything that is not a function is reported at once", async () => {
  const source = `export const VERSION = "1.2", LIMITS = [1], NONE = null, MAX = { lines: 1 };
    export class Shop {}
    export function charge() {}
    export default function unnamed() {}`;
  const loading = loadOperators(moduleFile("mixed.mjs", source));
  await expect(loading).rejects.toMatchObject({ code: "OPERATORS_INVALID", hint: expect.stringContaining("Export functions by name") });
  for (const problem of [
    '"VERSION" is a string, not a function',
    '"LIMITS" is a list, not a function',
    '"NONE" is null, not a function',
    '"MAX" is an object, not a function',
    '"Shop" is a class, not a function',
    "its default export is a function, not an object of functions",
  ]) {
    await expect(loading).rejects.toThrow(problem);
  }
});

test.each([
  ["two different functions under one name", "export const ship = () => 1; export default { ship: () => 2 };", '"ship" is exported twice'],
  ["no function", "export {};", "it exports no function"],
  ["an error while it loads", `throw new Error("no database configured");`, "it cannot be loaded: no database configured"],
  ["something else that it throws while it loads", `throw "nothing works";`, "it cannot be loaded: nothing works"],
  ["a syntax error", "export function charge( {", "it cannot be loaded: "],
])("a module with %s is refused with the reason", async (name, source, message) => {
  await expect(loadOperators(moduleFile(`${name}.mjs`, source))).rejects.toMatchObject({
    code: "OPERATORS_INVALID",
    message: expect.stringContaining(message),
  });
});

test("a missing file is FILE_UNREADABLE", async () => {
  const missing = loadOperators(join(directory, "absent.ts"));
  await expect(missing).rejects.toMatchObject({ code: "FILE_UNREADABLE", hint: expect.any(String) });
});
