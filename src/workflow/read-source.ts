import {
  Composer,
  CST,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type ParsedNode,
  Parser,
  type Scalar,
  type YAMLMap,
} from "yaml";
import { type Json, setOwn } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import type { Report } from "./findings.ts";
import type { Path } from "./path.ts";

/** An offset in the text where reading stopped, and why. */
export interface SyntaxFault {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

export interface Source {
  readonly root: ParsedNode | null;
  readonly lines: LineCounter;
  readonly faults: readonly SyntaxFault[];
}

/** `stringKeys` makes every key a text, or a fault. */
const OPTIONS = { schema: "core", resolveKnownTags: false, uniqueKeys: false, stringKeys: true, prettyErrors: false } as const;
/** A broken file can give one error per character; a reader needs the first ones. */
const MAX_FAULTS = 20;

/**
 * Reads YAML 1.2 (JSON is a part of it) into a syntax tree. Anchors, aliases and tags are refused before they can be expanded, and
 * nesting is bounded while the text is read, so the time is linear in its length.
 */
export function readYaml(text: string): Source {
  const lines = new LineCounter();
  const parser = new Parser((offset) => {
    lines.addNewLine(offset);
  });
  const composer = new Composer(OPTIONS);
  lines.addNewLine(0);
  let root: ParsedNode | null = null;
  const refused: SyntaxFault[] = [];
  const faults: SyntaxFault[] = [];
  for (const document of composer.compose(acceptedTokens(text, parser, refused), true, text.length)) {
    if (root === null) root = document.contents;
    else faults.push({ offset: document.range[0], message: "A second document starts here", hint: "Write one workflow in one file." });
    for (const { pos, message } of [...document.errors, ...document.warnings]) faults.push({ offset: pos[0], message });
    if (faults.length > 0) break;
  }
  return { root, lines, faults: refused.length > 0 ? refused : faults.toSorted((a, b) => a.offset - b.offset).slice(0, MAX_FAULTS) };
}

/** Ends at the first token that is refused, so that nothing of what follows is built. */
function* acceptedTokens(text: string, parser: Parser, refused: SyntaxFault[]): Generator<CST.Token, void> {
  const guard = createGuard();
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const fault = guard(lexeme, parser.offset);
    if (fault !== undefined) refused.push(fault);
    for (const token of fault === undefined ? parser.next(lexeme) : []) {
      if (token.type === "error" && ++errors > MAX_FAULTS) refused.push({ offset: token.offset, message: token.message });
      yield token;
    }
    if (refused.length > 0) return;
  }
  yield* parser.end();
}

type Guard = (lexeme: string, offset: number) => SyntaxFault | undefined;

function createGuard(): Guard {
  let isScalarText = false;
  let flowDepth = 0;
  let indicatorsOnLine = 0;
  return (lexeme, offset) => {
    if (isScalarText) {
      isScalarText = false;
      return undefined;
    }
    switch (CST.tokenType(lexeme)) {
      case "scalar":
        isScalarText = true;
        return undefined;
      case "anchor":
      case "alias":
        return {
          offset,
          message: "Anchors and aliases are not part of the format",
          hint: "Write the value out, or use `vars` or `defaults`.",
        };
      case "tag":
        return { offset, message: `The tag ${lexeme} is not part of the format`, hint: "Write plain YAML values; quote what is text." };
      case "newline":
        indicatorsOnLine = 0;
        return undefined;
      case "flow-map-start":
      case "flow-seq-start":
        return ++flowDepth > LIMITS.jsonDepth ? tooDeep(offset) : undefined;
      case "flow-map-end":
      case "flow-seq-end":
        flowDepth--;
        return undefined;
      case "seq-item-ind":
      case "explicit-key-ind":
        return ++indicatorsOnLine > LIMITS.jsonDepth ? tooDeep(offset) : undefined;
      default:
        return undefined;
    }
  };
}

function tooDeep(offset: number): SyntaxFault {
  return { offset, message: `Nested deeper than ${LIMITS.jsonDepth} levels` };
}

/** Turns a syntax tree without faults into plain JSON; every string passes `substitute`. */
export function toValue(root: Node | null, substitute: (text: string, path: Path) => string, report: Report): Json {
  const path: (string | number)[] = [];
  const visit = (node: Node | null): Json => {
    if (path.length > LIMITS.jsonDepth) {
      report({ code: "DEFINITION_SYNTAX", path: [...path], message: `Nested deeper than ${LIMITS.jsonDepth} levels` });
      return null;
    }
    if (isSeq<Node>(node)) {
      return node.items.map((item, index) => {
        path.push(index);
        const value = visit(item);
        path.pop();
        return value;
      });
    }
    if (isMap<Scalar<string>, Node | null>(node)) return visitMap(node);
    return scalarValue(node, path, substitute, report);
  };
  const visitMap = (node: YAMLMap<Scalar<string>, Node | null>): Json => {
    const object: Record<string, Json> = {};
    for (const { key, value } of node.items) {
      const name = key.value;
      path.push(name);
      if (Object.hasOwn(object, name)) report(duplicate(name, path));
      setOwn(object, name, visit(value));
      path.pop();
    }
    return object;
  };
  return visit(root);
}

function scalarValue(node: Node | null, path: Path, substitute: (text: string, path: Path) => string, report: Report): Json {
  const value: unknown = isScalar(node) ? node.value : null;
  if (typeof value === "string") return substitute(value, path);
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return value;
  if (value !== null) report({ code: "DEFINITION_SYNTAX", path: [...path], message: "Infinity and NaN are not JSON values" });
  return null;
}

function duplicate(name: string, path: Path): Parameters<Report>[0] {
  // steps.a, and in a block steps.a.steps.b
  const isStep = path.length % 2 === 0 && path.every((part, index) => index % 2 === 1 || part === "steps");
  return isStep
    ? {
        code: "STEP_DUPLICATE",
        path: [...path],
        key: true,
        message: `Two steps have the id \`${name}\``,
        hint: "Give each step its own id.",
      }
    : { code: "DEFINITION_SYNTAX", path: [...path], key: true, message: `The key \`${name}\` stands here twice` };
}
