import ts from "typescript";

/** A row of docs/requirements.md. */
export interface Requirement {
  readonly id: string;
  /** The chapter of the product that owes the proof. */
  readonly shownBy: string;
  readonly text: string;
}

/** A test and the ids that its name carries. */
export interface NamedTest {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly name: string;
  readonly ids: readonly string[];
}

export interface Coverage {
  readonly missing: readonly Requirement[];
  /** Tests whose name carries more than three ids: they show too much to show anything. */
  readonly crowded: readonly NamedTest[];
  /** Tests that carry an id that no row has. */
  readonly mistaken: readonly NamedTest[];
}

const ROW = /^\| (S[0-4][-+]\d+) \| ([a-z-]+) \| (.+) \|$/gm;
const ID = /\bS\d[-+]\d+\b/g;
const MAX_IDS = 3;

/** The rows of the requirement document, in its order. */
export function readRequirements(markdown: string): readonly Requirement[] {
  return [...markdown.matchAll(ROW)].map(([, id = "", shownBy = "", text = ""]) => ({ id, shownBy, text }));
}

/** The tests of a source file whose names carry ids; skipped ones show nothing. */
export function readTests(file: string, source: string): readonly NamedTest[] {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const tests: NamedTest[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const name = testName(node);
      const ids = name === undefined ? [] : [...new Set(name.match(ID))];
      const { line } = parsed.getLineAndCharacterOfPosition(node.getStart());
      if (name !== undefined && ids.length > 0) tests.push({ file, line: line + 1, name, ids });
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return tests;
}

/** The name in `test("…")`, `it("…")`, `test.each([…])("…")` and their like. */
function testName(call: ts.CallExpression): string | undefined {
  const callee = call.expression.getText();
  if (!/^(?:test|it)\b/.test(callee) || /^(?:test|it)\.(?:skip|todo)\b/.test(callee)) return undefined;
  const [first] = call.arguments;
  if (first === undefined) return undefined;
  return ts.isStringLiteralLike(first) || ts.isTemplateExpression(first) ? first.getText().slice(1, -1) : undefined;
}

/** Holds tests against requirements. */
export function compare(requirements: readonly Requirement[], tests: readonly NamedTest[]): Coverage {
  const shown = new Set(tests.flatMap((test) => test.ids));
  const known = new Set(requirements.map((requirement) => requirement.id));
  return {
    missing: requirements.filter((requirement) => !shown.has(requirement.id)),
    crowded: tests.filter((test) => test.ids.length > MAX_IDS),
    mistaken: tests.filter((test) => test.ids.some((id) => !known.has(id))),
  };
}
