import { invariant } from "../model/errors.ts";
import { LIMITS } from "../model/limits.ts";
import { type Analysis, analyse, type FoundProblem } from "./analyse.ts";
import { isAstNode } from "./ast.ts";
import { compileDirect, type Direct } from "./direct.ts";
import { Evaluation } from "./evaluation.ts";
import { type CheckedFunction, type Focus, type Frame, isFrame, type NativeFunction } from "./function-value.ts";
import { boundedFunctions, directFunctions } from "./functions.ts";
import type { Read } from "./read.ts";
import { readThrown } from "./refusal.ts";
import { matcherOf } from "./regex.ts";
import type { EvaluationContext, Scope } from "./template.ts";

/** The parts of JSONata's interface that are used here; its own types know no symbols and no tree. */
interface Library {
  (source: string, options: { readonly timeout: number; readonly sequence: number }): CompiledSource;
}
interface CompiledSource {
  evaluate(input: unknown): Promise<unknown>;
  assign(name: string | symbol, value: unknown): void;
  ast(): unknown;
}
type RegexLibrary = typeof import("re2js")["RE2JS"];

interface Loaded {
  readonly jsonata: Library;
  readonly regex: RegexLibrary;
  readonly functions: ReadonlyMap<string, NativeFunction>;
  readonly directFunctions: ReadonlyMap<string, CheckedFunction>;
}

/** JSONata calls what is bound to this for each frame of variables that it makes. */
const NEW_FRAME = Symbol.for("jsonata.__createFrame_push");
const OPTIONS = { timeout: LIMITS.expressionTimeMs, sequence: LIMITS.expressionResultMembers };

let loaded: Loaded | undefined;
let loading: Promise<Loaded> | undefined;

/**
 * Loads JSONata and the engine for regular expressions; must have resolved before `compileTemplate` meets a full expression.
 * Later calls do nothing. They are not imported statically because most commands start without them.
 */
export async function loadJsonata(): Promise<void> {
  loading ??= load();
  loaded = await loading;
}

async function load(): Promise<Loaded> {
  const [{ default: jsonata }, { RE2JS }] = await Promise.all([import("jsonata"), import("re2js")]);
  const library = libraryFrame(jsonata);
  return { jsonata, regex: RE2JS, functions: boundedFunctions(library), directFunctions: directFunctions(library) };
}

/** JSONata makes its frame before anything of an evaluation is asynchronous. */
function libraryFrame(jsonata: Library): Frame {
  let library: unknown;
  const probe = jsonata("1", OPTIONS);
  probe.assign(NEW_FRAME, (parent: unknown) => {
    library = parent;
  });
  void probe.evaluate({});
  invariant(isFrame(library), "JSONata made no frame for an evaluation");
  return library;
}

/** Continues with the value or the error itself: a promise less than if its caller did. */
export type EvaluateFull = <T>(
  scope: Scope,
  context: EvaluationContext,
  onValue: (value: unknown) => T,
  onError: (error: unknown) => T,
) => Promise<T>;

export interface FullExpression {
  readonly references: Analysis["references"];
  readonly problems: readonly FoundProblem[];
  /** The value as JSONata gives it; in list mode an empty sequence is `[]`. Null when the source cannot be parsed. */
  readonly evaluate: EvaluateFull | null;
  /** The same at once, where it is simple enough for that; null when it never is. */
  readonly direct: Direct | null;
}

/** Compiles JSONata; what is wrong with the source is in `problems`, and then it cannot be evaluated. */
export function compileFull(source: string, keepSequences: boolean, seedSuffix: string): FullExpression {
  invariant(loaded !== undefined, "loadJsonata() has not finished");
  const { jsonata, regex, functions } = loaded;
  try {
    const compiled = jsonata(source, OPTIONS);
    const tree = compiled.ast();
    invariant(isAstNode(tree), "JSONata gave no syntax tree");
    // JSONata holds on to the root node that it has parsed: a copy is rewritten, and its content put back into that node.
    const analysis = analyse({ ...tree }, keepSequences);
    replaceContent(tree, analysis.tree);
    for (const [name, definition] of functions) compiled.assign(name, definition);
    const problems = [...analysis.problems, ...bindInternals(compiled, analysis, regex)];
    const direct = keepSequences ? null : compileDirect(analysis.tree, loaded.directFunctions);
    return { references: analysis.references, problems, evaluate: evaluator(compiled, analysis.reads, seedSuffix), direct };
  } catch (error) {
    return { references: [], problems: [describeSyntax(error)], evaluate: null, direct: null };
  }
}

function replaceContent(target: object, source: object): void {
  for (const name of Object.keys(target)) Reflect.deleteProperty(target, name);
  Object.assign(target, source);
}

function evaluator(compiled: CompiledSource, reads: readonly Read[], seedSuffix: string): EvaluateFull {
  let starting: Evaluation | undefined;
  const named = reads.map((read, index) => ({ name: `#${index}`, read }));
  compiled.assign(NEW_FRAME, (_parent: Frame, frame: Frame) => {
    starting?.attach(frame);
    starting = undefined;
  });
  return (scope, context, onValue, onError) => {
    const evaluation = new Evaluation(scope, named, context, seedSuffix);
    starting = evaluation;
    const pending = compiled.evaluate(scope);
    evaluation.takeOverGuardrails();
    return pending.then((value) => onValue(value === undefined && evaluation.isEmptySequence ? [] : value), onError);
  };
}

/** Binds what the rewritten tree calls; gives the regular expressions that the linear-time engine cannot take. */
function bindInternals(compiled: CompiledSource, { patterns }: Analysis, regex: RegexLibrary): readonly FoundProblem[] {
  const native = (name: string, implementation: NativeFunction["implementation"]): void => {
    compiled.assign(name, { _jsonata_function: true, implementation });
  };
  native("#fresh", (value: unknown) => (Array.isArray(value) && value.length === 0 ? [] : value));
  const problems: FoundProblem[] = [];
  for (const [index, { pattern, offset }] of patterns.entries()) {
    try {
      const flags = (pattern.ignoreCase ? regex.CASE_INSENSITIVE : 0) | (pattern.multiline ? regex.MULTILINE : 0);
      const linear = regex.compile(regex.translateRegExp(pattern), flags);
      native(`#regex${index}`, function (this: Focus) {
        const evaluation = Evaluation.of(this);
        return matcherOf(linear, (characters) => evaluation.spendCharacters(characters));
      });
    } catch (error) {
      const hint = "Regular expressions are matched in linear time, so look-around and back-references do not exist.";
      problems.push({ message: `/${pattern.source}/ cannot be used: ${readThrown(error).message}`, hint, offset });
    }
  }
  return problems;
}

function describeSyntax(error: unknown): FoundProblem {
  if (error instanceof RangeError) return { message: "it nests too deep to be parsed", offset: 0, isLimit: true };
  const { code, message, position } = readThrown(error);
  return { message: typeof code === "string" ? `${message} (JSONata ${code})` : message, offset: position };
}
