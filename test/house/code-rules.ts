import ts from "typescript";
import { type Finding, isCode, isTest, lineOf, nodesOf, parse, type SourceText } from "./tree.ts";

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 60;
const MAX_PORT_METHODS = 20;
// written with brackets, so that the patterns do not find themselves
const SWITCHED_OFF = /(?:eslin[t]|oxlin[t]|biom[e]|jscp[d]|(?:v8|c8|istanbu[l]))[- :]*(?:disabl[e]|ignor[e])|@ts-(?:ignor[e]|nochec[k])/;
const UNFINISHED = /\b(?:TO[D]O|FIX[M]E)\b/;
const REAL_TIMERS = new Set(["setTimeout", "setInterval"]);

/** Rules of one code file. */
export function codeFindings(source: SourceText): readonly Finding[] {
  if (!isCode(source)) return [];
  const found: Finding[] = [];
  const file = parse(source);
  const add = (line: number, rule: string): void => {
    found.push({ file: source.path, line, rule });
  };
  const lines = lineCount(source.text);
  if (lines > MAX_FILE_LINES) add(1, `file of ${lines} lines, at most ${MAX_FILE_LINES}`);
  for (const [index, line] of source.text.split("\n").entries()) {
    if (SWITCHED_OFF.test(line)) add(index + 1, "a check is switched off");
    if (UNFINISHED.test(line)) add(index + 1, "unfinished work");
  }
  for (const node of nodesOf(file)) {
    const rule = brokenRule(node, source.path);
    if (rule !== undefined) add(lineOf(node), rule);
  }
  return found;
}

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

function brokenRule(node: ts.Node, path: string): string | undefined {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return "`any`";
  if (ts.isNonNullExpression(node)) return "non-null `!`";
  if (ts.isFunctionLike(node) && !isChapter(node)) {
    const lines = ownLines(node);
    if (lines > MAX_FUNCTION_LINES) return `function of ${lines} lines, at most ${MAX_FUNCTION_LINES}`;
  }
  if (path.endsWith("/port.ts") && ts.isInterfaceDeclaration(node)) {
    const methods = node.members.filter(isMethod).length;
    if (methods > MAX_PORT_METHODS) return `port ${node.name.text} of ${methods} methods, at most ${MAX_PORT_METHODS}`;
  }
  if (isTest(path) && usesRealTimer(node)) return "a test waits for real time";
  return undefined;
}

/** The callback of `describe`: a list of tests. */
function isChapter(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText());
}

/** Lines of a function without the tests that it declares, which are functions of their own. */
function ownLines(node: ts.Node): number {
  const inside = (child: ts.Node): number => (declaresTests(child) ? lineCount(child.getText()) : linesIn(child));
  const linesIn = (parent: ts.Node): number => parent.getChildren().reduce((sum, child) => sum + inside(child), 0);
  return lineCount(node.getText()) - linesIn(node);
}

function declaresTests(node: ts.Node): boolean {
  return ts.isCallExpression(node) && /^(?:describe|test|it)\b/.test(node.expression.getText());
}

function isMethod(member: ts.TypeElement): boolean {
  return (
    ts.isMethodSignature(member) || (ts.isPropertySignature(member) && member.type !== undefined && ts.isFunctionTypeNode(member.type))
  );
}

function usesRealTimer(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) {
    const imported = node.importClause?.namedBindings;
    const isTimers = /^["']node:timers/.test(node.moduleSpecifier.getText());
    return (
      isTimers &&
      (imported === undefined || !ts.isNamedImports(imported) || imported.elements.some(({ name }) => REAL_TIMERS.has(name.text)))
    );
  }
  if (!ts.isCallExpression(node)) return false;
  const called = node.expression;
  if (ts.isIdentifier(called)) return REAL_TIMERS.has(called.text);
  return ts.isPropertyAccessExpression(called) && called.expression.getText() === "globalThis" && REAL_TIMERS.has(called.name.text);
}
