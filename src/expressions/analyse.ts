import { type AstNode, type AstPair, type AstStage, internalCall } from "./ast.ts";
import { FUNCTION_NAMES } from "./function-names.ts";
import { nearest } from "./nearest.ts";
import type { Read } from "./read.ts";
import type { Segment } from "./simple.ts";

export interface FoundReference {
  readonly root: string;
  readonly path: readonly string[];
  readonly optional: boolean;
}

export interface FoundPattern {
  readonly pattern: RegExp;
  readonly offset: number;
}

export interface FoundProblem {
  /** The expression is too large rather than wrong. */
  readonly isLimit?: boolean;
  readonly message: string;
  readonly hint?: string;
  readonly offset: number;
}

export interface Analysis {
  readonly tree: AstNode;
  /** What the tree reads from the scope, as the variables `#<index>`. */
  readonly reads: readonly Read[];
  /** The regular expressions of the source; the tree calls them as `#regex<index>`. */
  readonly patterns: readonly FoundPattern[];
  readonly references: readonly FoundReference[];
  readonly problems: readonly FoundProblem[];
}

/** Roots whose absent members are an error wherever they stand (SPEC §2.1). */
const STRICT_ROOTS: ReadonlySet<Segment> = new Set(["input", "steps", "vars", "env"]);

/** What a node stands in. `atRoot`: names are looked up in the scope itself, not in an item of a list. */
interface Surroundings {
  readonly atRoot: boolean;
  readonly optional: boolean;
}

/**
 * Finds what an expression reads, and rewrites its tree: paths from the scope become variables that the compiled path
 * reader fills, which is faster and strict about absence; regular expressions become calls of the linear-time engine; and what would make JSONata
 * change its input (`[]` after a list, grouping an empty list) becomes something that does not.
 *
 * @param keepSequences the value of the expression keeps its sequences (`expect: "list"`)
 */
export function analyse(tree: AstNode, keepSequences: boolean): Analysis {
  return new Analyser().run(tree, keepSequences);
}

class Analyser {
  private readonly reads: Read[] = [];
  /** By offset: JSONata copies the left side of `??` and `?:`, and regular expressions do not survive that. */
  private readonly patterns = new Map<number, RegExp>();
  private readonly references = new Map<string, FoundReference>();
  private readonly problems: FoundProblem[] = [];
  private readonly bound = new Set<unknown>();
  private readonly used = new Map<string, number>();

  run(tree: AstNode, keepSequences: boolean): Analysis {
    if (keepSequences) markTails(tree);
    const rewritten = this.visit(tree, { atRoot: true, optional: false });
    for (const [name, offset] of this.used) this.checkName(name, offset);
    const patterns = Array.from(this.patterns, ([offset, pattern]) => ({ pattern, offset }));
    return { tree: rewritten, reads: this.reads, patterns, references: [...this.references.values()], problems: this.problems };
  }

  private visit(node: AstNode, here: Surroundings): AstNode {
    const rewritten = node.type === "path" ? this.path(node, here) : this.plainNode(node, here);
    if (node.isTail === true) {
      rewritten.isTail = true;
      rewritten.keepArray = true;
    }
    this.stages(node.predicate, here);
    if (node.group !== undefined) this.pairs(node.group.lhs, inItem(here));
    return node.group === undefined || node.tuple === true ? rewritten : groupFresh(node, rewritten);
  }

  private plainNode(node: AstNode, here: Surroundings): AstNode {
    switch (node.type) {
      case "variable":
        return this.variable(node, here);
      case "wildcard":
      case "descendant":
        if (here.atRoot) this.wholeScope(here);
        return node;
      case "regex":
        return this.regex(node);
      case "condition":
        return this.condition(node, here);
      case "function":
      case "partial":
        return this.call(node, here);
      case "apply":
        if (node.rhs !== undefined && isExists(node.rhs.type === "function" ? node.rhs.procedure : node.rhs)) {
          return this.children(node, { ...here, optional: true });
        }
        return this.children(node, here);
      case "lambda":
        for (const parameter of node.arguments ?? []) this.bind(parameter.value, parameter.position);
        if (node.body !== undefined) node.body = this.visit(node.body, here);
        return node;
      case "bind":
        if (node.lhs !== undefined && !Array.isArray(node.lhs)) this.bind(node.lhs.value, node.lhs.position);
        if (node.rhs !== undefined) node.rhs = this.visit(node.rhs, here);
        return node;
      case "transform":
        return this.children(node, inItem(here));
      case "unary":
        return Array.isArray(node.lhs) && !here.atRoot ? this.objectOfItem(node, node.lhs, here) : this.children(node, here);
      default:
        return this.children(node, here);
    }
  }

  private children(node: AstNode, here: Surroundings): AstNode {
    if (Array.isArray(node.lhs)) this.pairs(node.lhs, here);
    else if (node.lhs !== undefined) node.lhs = this.visit(node.lhs, here);
    if (node.rhs !== undefined) node.rhs = this.visit(node.rhs, here);
    if (node.expression !== undefined) node.expression = this.visit(node.expression, here);
    if (node.expressions !== undefined) node.expressions = node.expressions.map((child) => this.visit(child, here));
    if (node.pattern !== undefined) node.pattern = this.visit(node.pattern, here);
    if (node.update !== undefined) node.update = this.visit(node.update, here);
    if (node.delete !== undefined) node.delete = this.visit(node.delete, here);
    for (const term of node.terms ?? []) term.expression = this.visit(term.expression, inItem(here));
    return node;
  }

  /** An object is built by grouping what it stands in, which may be an empty list of the scope: `{…}` becomes `$fresh($){…}`. */
  private objectOfItem(node: AstNode, pairs: AstPair[], here: Surroundings): AstNode {
    this.pairs(pairs, here);
    const object = internalCall("#fresh", node.position, { type: "variable", value: "" });
    object.group = { lhs: pairs };
    if (node.predicate === undefined && node.group === undefined) return object;
    const block: AstNode = { type: "block", expressions: [object] };
    if (node.predicate !== undefined) block.predicate = node.predicate;
    return block;
  }

  private pairs(pairs: AstPair[], here: Surroundings): void {
    for (const pair of pairs) {
      const [key, value] = pair;
      pair[0] = this.visit(key, here);
      pair[1] = this.visit(value, here);
      pair[1].isMember = true;
    }
  }

  private stages(stages: readonly AstStage[] | undefined, here: Surroundings): void {
    for (const stage of stages ?? []) {
      if (stage.expr !== undefined) stage.expr = this.visit(stage.expr, inItem(here));
      else this.bind(stage.value, undefined);
    }
  }

  private variable(node: AstNode, here: Surroundings): AstNode {
    if (node.value === "$" || (node.value === "" && here.atRoot)) this.wholeScope(here);
    else if (node.value !== "") this.used.set(String(node.value), node.position ?? 0);
    return node;
  }

  /** `a ?? b` is parsed as `$exists(a) ? a : b` with a copy of `a`, told apart by the call that stands nowhere in the source. */
  private condition(node: AstNode, here: Surroundings): AstNode {
    const { condition, then } = node;
    const isDefault = condition?.type === "function" && condition.position === undefined && isExists(condition.procedure);
    const inside = isDefault ? { ...here, optional: true } : here;
    // `then` first: its regular expressions are whole, those of the copy were lost when it was copied.
    if (then !== undefined) node.then = this.visit(then, inside);
    if (condition !== undefined) node.condition = this.visit(condition, inside);
    if (node.else !== undefined) node.else = this.visit(node.else, inside);
    return node;
  }

  private call(node: AstNode, here: Surroundings): AstNode {
    const { procedure } = node;
    const inside = isExists(procedure) ? { ...here, optional: true } : here;
    node.arguments = (node.arguments ?? []).map((argument) => (argument.type === "operator" ? argument : this.visit(argument, inside)));
    if (procedure === undefined) return node;
    const name = procedure.steps?.length === 1 ? procedure.steps[0]?.value : undefined;
    if (here.atRoot && typeof name === "string") {
      const message = `"${name}" is not a function`;
      this.problems.push({
        message,
        hint: `Functions start with $: $${nearest(name, FUNCTION_NAMES) ?? name}(…).`,
        offset: node.position ?? 0,
      });
      return node;
    }
    node.procedure = this.visit(procedure, here);
    node.procedure.isCallee = true;
    return node;
  }

  private regex(node: AstNode): AstNode {
    const offset = node.position ?? 0;
    if (node.value instanceof RegExp) this.patterns.set(offset, node.value);
    const index = [...this.patterns.keys()].indexOf(offset);
    return internalCall(`#regex${index}`, node.position);
  }

  private path(node: AstNode, here: Surroundings): AstNode {
    const steps = node.steps ?? [];
    keepSingletonWithoutMark(node, steps);
    const first = this.isScope(steps[0], here) ? 1 : 0;
    if (first === 0 && !(here.atRoot && steps[0]?.type === "name")) return this.steps(node, steps, 0, here);

    const { segments, taken } = leadingPath(steps, first);
    const next = steps[first + taken];
    const strict = next?.type === "name" ? [...segments, String(next.value)] : segments;
    this.refer(strict, here);
    if (taken === 0) return this.steps(node, steps, first, here);
    const isWhole = next === undefined && node.keepSingletonArray !== true && node.keepArray !== true;
    const mode = !isWhole ? "stream" : node.isTail === true || node.group !== undefined ? "list" : "value";
    const isStrict = !here.optional && STRICT_ROOTS.has(segments[0] ?? "");
    const read: Read = { segments, mode, strict: isStrict ? strict : null };
    const variable: AstNode = { type: "variable", value: `#${this.reads.length}`, read };
    this.reads.push(read);
    if (isWhole) return variable;
    steps.splice(first, taken, variable);
    return this.steps(node, steps, first + 1, here);
  }

  /** The rest of a path: its first step sees what the path sees, the others see the items before them. */
  private steps(node: AstNode, steps: AstNode[], from: number, here: Surroundings): AstNode {
    for (const [at, step] of steps.entries()) {
      if (at >= from) steps[at] = this.visit(step, at === 0 ? here : inItem(here));
      this.stages(step.stages, here);
      for (const name of [step.focus, step.index]) if (name !== undefined) this.bind(name, step.position);
      const rewritten = steps[at];
      if (rewritten !== undefined && rewritten !== step) moveMarks(step, rewritten);
    }
    return node;
  }

  /** `$$`, or `$` where that is the scope, at the start of a longer path. */
  private isScope(step: AstNode | undefined, here: Surroundings): boolean {
    if (step?.type !== "variable" || step.predicate !== undefined || !isUnmarked(step)) return false;
    return step.value === "$" || (step.value === "" && here.atRoot);
  }

  private refer(segments: readonly Segment[], here: Surroundings): void {
    const [root, ...rest] = segments;
    if (typeof root !== "string") return this.wholeScope(here);
    const constant = rest.findIndex((segment) => typeof segment === "number");
    const names = constant === -1 ? rest : rest.slice(0, constant);
    this.addReference({ root, path: names.map(String), optional: here.optional });
  }

  /** The expression can reach every step by a name that is computed. */
  private wholeScope(here: Surroundings): void {
    this.addReference({ root: "steps", path: [], optional: here.optional });
  }

  private addReference(reference: FoundReference): void {
    this.references.set(JSON.stringify(reference), reference);
  }

  private bind(name: unknown, position: number | undefined): void {
    // A tree update calls whatever `clone` is bound to, to leave its input alone; a binding named `then` could pass for a promise.
    if (name === "clone" || name === "then") this.problems.push({ message: `$${name} cannot be redefined`, offset: position ?? 0 });
    this.bound.add(name);
  }

  private checkName(name: string, offset: number): void {
    if (this.bound.has(name) || FUNCTION_NAMES.includes(name)) return;
    if (name === "eval") {
      const hint = "Write the expression itself; text from data is never evaluated.";
      this.problems.push({ message: "$eval does not exist here", hint, offset });
      return;
    }
    const near = nearest(name, [...FUNCTION_NAMES, ...this.bound].map(String));
    const hint = near === undefined ? "Names of the scope stand without $: input, steps, vars." : `Did you mean $${near}?`;
    this.problems.push({ message: `there is no function or variable $${name}`, hint, offset });
  }
}

function inItem(here: Surroundings): Surroundings {
  return { atRoot: false, optional: here.optional };
}

function isExists(procedure: AstNode | undefined): boolean {
  return procedure?.type === "variable" && procedure.value === "exists";
}

/** The longest start of a path that the compiled reader can take: names and constant indices. */
function leadingPath(steps: readonly AstNode[], from: number): { readonly segments: readonly Segment[]; readonly taken: number } {
  const segments: Segment[] = [];
  let taken = 0;
  for (const step of steps.slice(from)) {
    const indices = constantIndices(step);
    if (step.type !== "name" || indices === undefined || !isUnmarked(step)) break;
    segments.push(String(step.value), ...indices);
    taken++;
  }
  return { segments, taken };
}

function isUnmarked(step: AstNode): boolean {
  return step.focus === undefined && step.index === undefined && step.tuple !== true && step.keepArray !== true && step.group === undefined;
}

function constantIndices(step: AstNode): readonly number[] | undefined {
  const indices: number[] = [];
  for (const { type, expr } of step.stages ?? []) {
    if (type !== "filter" || expr?.type !== "number" || typeof expr.value !== "number") return undefined;
    indices.push(Math.floor(expr.value));
  }
  return indices;
}

/** The nodes whose value is the value of the expression. */
function markTails(node: AstNode): void {
  if (node.predicate !== undefined || node.group !== undefined) {
    node.isTail = true;
  } else if (node.type === "block") {
    const last = node.expressions?.at(-1);
    if (last !== undefined) markTails(last);
  } else if (node.type === "condition") {
    if (node.then !== undefined) markTails(node.then);
    if (node.else !== undefined) markTails(node.else);
  } else {
    node.isTail = true;
  }
}

/** `path[]` marks the list that it found; that list may be the scope's own. `keepArray` means the same and marks only sequences. */
function keepSingletonWithoutMark(node: AstNode, steps: readonly AstNode[]): void {
  if (node.keepSingletonArray !== true || steps.some((step) => step.type === "unary")) return;
  node.keepSingletonArray = false;
  node.keepArray = true;
}

/** Grouping adds a member to an empty list that it is given; that list may be the scope's own. */
function groupFresh(node: AstNode, rewritten: AstNode): AstNode {
  if (rewritten.steps?.some((step) => !isUnmarked(step) && step.keepArray !== true) === true) return rewritten;
  const fresh = internalCall("#fresh", node.position, rewritten);
  if (node.group !== undefined) fresh.group = node.group;
  delete rewritten.group;
  rewritten.keepArray = true;
  return fresh;
}

/** What a path reads from the step itself, whatever the step has become. */
function moveMarks(from: AstNode, to: AstNode): void {
  for (const mark of ["stages", "focus", "index", "tuple", "keepArray", "ancestor"]) {
    if (Object.hasOwn(from, mark)) Reflect.set(to, mark, Reflect.get(from, mark));
  }
}
