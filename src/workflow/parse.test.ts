import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { parseDefinition } from "./index.ts";

const problemsOf = (text: string, options: Parameters<typeof parseDefinition>[1] = {}) =>
  parseDefinition(text, options).problems.map(
    ({ code, path, position }) => `${code} ${path} ${position?.line ?? "-"}:${position?.column ?? "-"}`,
  );

describe("reading", () => {
  test("YAML and JSON of one definition give equal values", () => {
    const yaml = "name: order\nsteps:\n  - uses: http\n    with: { n: 1.5, yes: true, none: null, list: [a, 'b'] }\n";
    const { definition } = parseDefinition(yaml);
    expect(definition).toEqual({ name: "order", steps: [{ uses: "http", with: { n: 1.5, yes: true, none: null, list: ["a", "b"] } }] });
    expect(parseDefinition(JSON.stringify(definition), { file: "order.JSON" }).definition).toEqual(definition);
  });

  test("any JSON object is read as it stands, in both formats", () => {
    const key = fc.string().filter((text) => !text.includes("${user."));
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        fc.constant(null),
        fc.boolean(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
        key,
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(key, tie("tree"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, tree, { maxKeys: 4 }), fc.constantFrom("json" as const, "yaml" as const), (value, format) => {
        const { definition, problems } = parseDefinition(JSON.stringify(value, null, 1), { format });
        expect(problems).toEqual([]);
        expect(JSON.stringify(definition)).toBe(JSON.stringify(value));
      }),
    );
  });

  test("a key __proto__ is a member and changes no object", () => {
    const { definition } = parseDefinition('{"__proto__": {"polluted": 1}, "steps": {"__proto__": {"uses": "x"}}}');
    expect(Object.keys(definition ?? {})).toEqual(["__proto__", "steps"]);
    expect(definition?.["polluted"]).toBeUndefined();
    expect({}).not.toHaveProperty("polluted");
  });

  test("what is not an object is one problem", () => {
    expect(problemsOf("")).toEqual(["DEFINITION_SYNTAX  -:-"]);
    expect(parseDefinition("\n- a").problems[0]).toMatchObject({
      message: expect.stringContaining("this is a list"),
      position: { line: 2, column: 1 },
    });
    expect(parseDefinition("  # nothing\n", { file: "x.yaml" })).toMatchObject({ definition: undefined, problems: [{ file: "x.yaml" }] });
  });
});

describe("syntax", () => {
  test("YAML errors are placed", () => {
    expect(problemsOf("name: a\nsteps: [\n  x: 1\n")).toEqual(["DEFINITION_SYNTAX  4:1"]);
    expect(problemsOf("name: a: b\n")).toEqual(["DEFINITION_SYNTAX  1:7"]);
    expect(problemsOf("name: a\n---\nname: b\n")).toEqual(["DEFINITION_SYNTAX  2:1"]);
    expect(problemsOf("[a]: 1\n")).toEqual(["DEFINITION_SYNTAX  1:1"]);
    expect(problemsOf("a: .inf\nb: -.nan\nc: .NaN")).toEqual(["DEFINITION_SYNTAX a 1:4", "DEFINITION_SYNTAX c 3:4"]);
  });

  test("JSON is read strictly and its errors are placed", () => {
    expect(problemsOf('{\n  "a": 1,\n}', { format: "json" })).toEqual(["DEFINITION_SYNTAX  3:1"]);
    expect(problemsOf('{"a": 1', { file: "a.json" })).toEqual(["DEFINITION_SYNTAX  1:8"]);
    expect(problemsOf("a: 1", { file: "a.json" })).toEqual(["DEFINITION_SYNTAX  1:1"]);
    expect(problemsOf("{ 'a': 1 } # c", { format: "json" })).toEqual(["DEFINITION_SYNTAX  1:3"]);
    expect(problemsOf('{"name": 1,\n "steps": x}', { format: "json" })).toEqual(["DEFINITION_SYNTAX  2:11"]);
    expect(problemsOf('{"a": [1, 2} ', { format: "json" })).toEqual(["DEFINITION_SYNTAX  1:12"]);
    expect(parseDefinition('{\r\n\t"a":\r\n\t\ttrue}', { format: "json" })).toMatchObject({ definition: { a: true }, problems: [] });
  });

  test("a key that stands twice is a problem, a step id twice is a duplicate", () => {
    expect(problemsOf("a: 1\nb: 2\na: 3")).toEqual(["DEFINITION_SYNTAX a 3:1"]);
    expect(problemsOf("steps:\n  x: {}\n  y: {}\n  x: {}")).toEqual(["STEP_DUPLICATE steps.x 4:3"]);
    expect(problemsOf('{"a": 1, "a": 2}', { format: "json" })).toEqual(["DEFINITION_SYNTAX a 1:10"]);
  });

  test("anchors, aliases and tags are refused where they stand", () => {
    expect(problemsOf("a: &x 1\n")).toEqual(["DEFINITION_SYNTAX  1:4"]);
    expect(problemsOf("a: 1\nb: *x\n")).toEqual(["DEFINITION_SYNTAX  2:4"]);
    expect(problemsOf("a: !!binary aGk=\n")).toEqual(["DEFINITION_SYNTAX  1:4"]);
    expect(problemsOf("a: !js/function x\n")).toEqual(["DEFINITION_SYNTAX  1:4"]);
    expect(parseDefinition('a: "&x *y !z"\nb: x & y\nc: 5 * 3\n<<: d')).toMatchObject({
      definition: { a: "&x *y !z", b: "x & y", c: "5 * 3", "<<": "d" },
      problems: [],
    });
  });
});

describe("hostile text", () => {
  const bomb = `a: &a [x,x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [*a,*a]`).join("\n")}`;
  test.each([
    ["a YAML bomb", bomb],
    ["open lists", "[".repeat(4_000_000)],
    ["open maps", "{a: ".repeat(1_000_000)],
    ["nested list items", "- ".repeat(2_000_000)],
    ["nested keys", "? ".repeat(2_000_000)],
    ["a broken line over and over", "a: }\n".repeat(400_000)],
    ["deep indentation", Array.from({ length: 2_000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    ["deeper indentation than a value may have", Array.from({ length: 300 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    ["deep JSON", `${'{"a":'.repeat(300)}1${"}".repeat(300)}`],
  ])("%s is refused at once", (_, text) => {
    const started = performance.now();
    const { definition, problems } = parseDefinition(text);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(problems.map(({ code }) => code)).toContain("DEFINITION_SYNTAX");
    expect(problems.length).toBeLessThanOrEqual(20);
    expect(definition === undefined || problems.length > 0).toBe(true);
  });

  test.each(["- ", "? ", "["])("nesting by %j is refused where it passes the limit", (opening) => {
    const [problem] = parseDefinition(opening.repeat(300)).problems;
    expect(problem).toMatchObject({ message: "Nested deeper than 256 levels", position: { line: 1, column: 256 * opening.length + 1 } });
  });

  test("the size is bounded in UTF-8 bytes", () => {
    expect(problemsOf(`a: ${"x".repeat(LIMITS.definitionBytes)}`)).toEqual(["DEFINITION_TOO_LARGE  -:-"]);
    const quarter = Math.floor(LIMITS.definitionBytes / 4);
    expect(problemsOf(`a: ${"😀".repeat(quarter)}`)).toEqual(["DEFINITION_TOO_LARGE  -:-"]);
    expect(problemsOf(`a: "${"é€😀x".repeat(Math.floor((LIMITS.definitionBytes - 5) / 10))}"`)).toEqual([]);
  });
});

describe("${user.x}", () => {
  const user = (name: string) => `\${user.${name}}`;

  test("S4-20 user variables are put into every string, once, and stay text", () => {
    const text = `name: a\nport: ${user("port")}\nlist: ["x-${user("port")}-${user("who")}", 1]\n`;
    expect(parseDefinition(text, { userVars: { port: "8080", who: user("port") } })).toMatchObject({
      definition: { port: "8080", list: [`x-8080-${user("port")}`, 1] },
      problems: [],
    });
  });

  test("S4-20 a missing user variable is reported at its place, every time", () => {
    const text = `name: a\nb: "at ${user("prot")}"\nc: ${user("toString")}\n`;
    const { problems } = parseDefinition(text, { userVars: { port: "1" } });
    expect(problems.map(({ message, hint, position }) => [message, hint, position?.line, position?.column])).toEqual([
      ["${user.prot} has no value", "Did you mean `port`?", 2, 8],
      ["${user.toString} has no value", "There is `port`.", 3, 4],
    ]);
    expect(parseDefinition(`a: ${user("x")}`).problems[0]?.hint).toBe("Pass it: --var x=VALUE.");
  });

  test("keys and other spellings stay as they are", () => {
    const text = "${user.a}: ${env.X} ${node.output} $user.a";
    expect(parseDefinition(`"${user("a")}": "${text.slice(11)}"`, { userVars: { a: "1" } }).definition).toEqual({
      [user("a")]: "${env.X} ${node.output} $user.a",
    });
  });

  test("values cannot make a definition larger than its limit", () => {
    const text = `a: [${Array.from({ length: 100 }, () => `"${user("x")}"`).join(",")}]`;
    expect(problemsOf(text, { userVars: { x: "y".repeat(100_000) } }).map((line) => line.split(" ")[0])).toEqual(["DEFINITION_TOO_LARGE"]);
    const one = `a: "${user("x").repeat(1_000)}"\nb: "${user("x").repeat(1_000)}"`;
    expect(problemsOf(one, { userVars: { x: "y".repeat(1_000_000) } })).toEqual(["DEFINITION_TOO_LARGE a 1:4"]);
  });
});

describe("places", () => {
  const text = [
    "name: a",
    "steps:",
    "  - id: x",
    "    with:",
    '      url: "a{{ b }}"',
    "      block: |",
    "        one",
    "        two",
    "    null_here:",
  ].join("\n");
  const { places } = parseDefinition(text);

  test("a scalar is placed at its value, anything else at its key", () => {
    expect(places([])).toEqual({ line: 1, column: 1 });
    expect(places(["name"])).toEqual({ line: 1, column: 7 });
    expect(places(["name"], { key: true })).toEqual({ line: 1, column: 1 });
    expect(places(["steps"])).toEqual({ line: 2, column: 1 });
    expect(places(["steps", 0])).toEqual({ line: 3, column: 5 });
    expect(places(["steps", 0, "with"])).toEqual({ line: 4, column: 5 });
  });

  test("what is not there is placed at what is around it", () => {
    expect(places(["steps", 0, "with", "body", "x"])).toEqual({ line: 4, column: 5 });
    expect(places(["steps", 7, "id"])).toEqual({ line: 2, column: 1 });
    expect(places(["name", "x"], { offset: 3 })).toEqual({ line: 1, column: 7 });
    expect(places(["name", 0])).toEqual({ line: 1, column: 7 });
    expect(places(["steps", "x"])).toEqual({ line: 2, column: 1 });
    expect(parseDefinition("a: [").places(["a"])).toBeUndefined();
    expect(parseDefinition("a: 5").places(["a"], { offset: 1 })).toEqual({ line: 1, column: 4 });
    expect(parseDefinition("a: {b}").places(["a", "b"])).toEqual({ line: 1, column: 5 });
    expect(parseDefinition("a:\n  b:\n").places(["a", "b"])).toEqual({ line: 2, column: 5 });
  });

  test("a character of a string is placed when the source holds it verbatim", () => {
    expect(places(["steps", 0, "with", "url"], { offset: 4 })).toEqual({ line: 5, column: 17 });
    expect(places(["steps", 0, "with", "block"], { offset: 4 })).toEqual({ line: 6, column: 14 });
    expect(places(["steps", 0, "with"], { offset: 4 })).toEqual({ line: 4, column: 5 });
  });
});
