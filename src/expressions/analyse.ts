import type { AstNode, AstPair, AstStage, CallNode, ConditionNode, NodeMarks, PathNode, VariableNode } from "./ast.ts";
import { internalCall, isCallOf, isVariable } from "./ast.ts";
import { FUNCTION_NAMES } from "./function-names.ts";
import { nearest } from "./nearest.ts";
import type { Read } from "./read.ts";
import { type FoundReference, referenceTo } from "./reference.ts";
import { groupFresh, isUnmarked, keepSingletonWithoutMark, leadingPath, markTails, moveMarks, objectFresh } from "./rewrite.ts";
import type { Segment } from "./simple.ts";

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
const STRICT_ROOTS: ReadonlySet<Segment | undefined> = new Set(["input", "steps", "vars", "env"]);

/** What a node stands in. `atRoot`: names are looked up in the scope itself, not in an item of a list. */
interface Surroundings {
  readonly atRoot: boolean;
  readonly optional: boolean;
}

/**
 * Finds what an expression reads, and rewrites its tree: paths from the scope become variables that the compiled path
 * reader fills, which is faster and strict about absence; regular expressions become calls of the linear-time engine; and
 * what would make JSONata change its input (`[]` after a list, grouping an empty list) becomes something that does not.
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
  private readonly bound = new Set<string>();
  private readonly used = new Map<string, number>();

  run(tree: AstNode, keepSequences: boolean): Analysis {
    if (keepSequences) markTails(tree);
    const rewritten = this.visit(tree, { atRoot: true, optional: false });
    for (const [name, offset] of this.used) this.checkName(name, offset);
    const patterns = Array.from(this.patterns, ([offset, pattern]) => ({ pattern, offset }));
    return { tree: rewritten, reads: this.reads, patterns, references: [...this.references.values()], problems: this.problems };
  }

  private visit(node: AstNode, here: Surroundings): AstNode {
    const { group, predicate } = node;
    const rewritten = this.content(node, here);
    if (node.isTail === true) {
      rewritten.isTail = true;
      rewritten.keepArray = true;
    }
    this.stages(predicate, here);
    if (group === undefined) return rewritten;
    this.pairs(group.lhs, inItem(here));
    return groupFresh(group, rewritten);
  }

  private content(node: AstNode, here: Surroundings): AstNode {
    switch (node.type) {
      case "path":
        return this.path(node, here);
      case "variable":
        return this.variable(node, here);
      case "regex":
        return this.regex(node);
      case "condition":
        return this.condition(node, here);
      case "function":
      case "partial":
        return this.call(node, here);
      case "wildcard":
      case "descendant":
        if (here.atRoot) this.wholeScope(here);
        return node;
      case "unary":
        if (node.value !== "{") return this.children(node, here);
        this.pairs(node.lhs, here);
        return here.atRoot ? node : objectFresh(node);
      default:
        return this.children(node, here);
    }
  }

  /** The nodes whose parts are nothing but expressions of their own. */
  private children(node: AstNode, here: Surroundings): AstNode {
    if (node.type === "binary") {
      node.lhs = this.visit(node.lhs, here);
      node.rhs = this.visit(node.rhs, here);
    } else if (node.type === "apply") {
      const inside = isVariable(node.rhs, "exists") || isCallOf(node.rhs, "exists") ? { ...here, optional: true } : here;
      node.lhs = this.visit(node.lhs, inside);
      node.rhs = this.visit(node.rhs, inside);
    } else if (node.type === "unary" && node.value === "-") {
      node.expression = this.visit(node.expression, here);
    } else if (node.type === "block" || (node.type === "unary" && node.value === "[")) {
      node.expressions = node.expressions.map((child) => this.visit(child, here));
    } else if (node.type === "bind") {
      this.bind(node.lhs.value, offsetOf(node.lhs));
      node.rhs = this.visit(node.rhs, here);
    } else if (node.type === "lambda") {
      for (const parameter of node.arguments) this.bind(parameter.value, offsetOf(parameter));
      node.body = this.visit(node.body, here);
    } else if (node.type === "sort") {
      for (const term of node.terms) term.expression = this.visit(term.expression, inItem(here));
    } else if (node.type === "transform") {
      node.pattern = this.visit(node.pattern, inItem(here));
      node.update = this.visit(node.update, inItem(here));
      if (node.delete !== undefined) node.delete = this.visit(node.delete, inItem(here));
    }
    return node;
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
      if (stage.type === "filter") stage.expr = this.visit(stage.expr, inItem(here));
      else this.bind(stage.value, 0);
    }
  }

  private variable(node: VariableNode, here: Surroundings): AstNode {
    if (node.value === "$" || (node.value === "" && here.atRoot)) this.wholeScope(here);
    else if (node.value !== "") this.used.set(node.value, offsetOf(node));
    return node;
  }

  /** `a ?? b` is parsed as `$exists(a) ? a : b` with a copy of `a`, told apart by the call that stands nowhere in the source. */
  private condition(node: ConditionNode, here: Surroundings): AstNode {
    const isDefault = isCallOf(node.condition, "exists") && node.condition.position === undefined;
    const inside = isDefault ? { ...here, optional: true } : here;
    // `then` first: its regular expressions are whole, those of the copy were lost when it was copied.
    node.then = this.visit(node.then, inside);
    node.condition = this.visit(node.condition, inside);
    if (node.else !== undefined) node.else = this.visit(node.else, inside);
    return node;
  }

  private call(node: CallNode, here: Surroundings): AstNode {
    const inside = isVariable(node.procedure, "exists") ? { ...here, optional: true } : here;
    node.arguments = node.arguments.map((argument) => this.visit(argument, inside));
    const name = here.atRoot ? soleName(node.procedure) : undefined;
    if (name !== undefined) {
      const hint = `Functions start with $: $${nearest(name, FUNCTION_NAMES) ?? name}(…).`;
      this.problems.push({ message: `"${name}" is not a function`, hint, offset: offsetOf(node) });
      return node;
    }
    node.procedure = this.visit(node.procedure, here);
    node.procedure.isCallee = true;
    return node;
  }

  private regex(node: NodeMarks & { readonly value: unknown }): AstNode {
    const offset = offsetOf(node);
    if (node.value instanceof RegExp) this.patterns.set(offset, node.value);
    return internalCall(`#regex${[...this.patterns.keys()].indexOf(offset)}`);
  }

  private path(node: PathNode, here: Surroundings): AstNode {
    keepSingletonWithoutMark(node);
    const { steps } = node;
    const first = this.isScope(steps[0], here) ? 1 : 0;
    if (first === 0 && !(here.atRoot && steps[0]?.type === "name")) return this.steps(node, 0, here);

    const { segments, taken } = leadingPath(steps.slice(first));
    const next = steps[first + taken];
    const strict = next?.type === "name" ? [...segments, next.value] : segments;
    if (strict.length === 0) this.wholeScope(here);
    else this.refer(referenceTo(strict, here.optional));
    if (taken === 0) return this.steps(node, first, here);
    const isWhole = next === undefined && node.keepSingletonArray !== true && node.keepArray !== true;
    const mode = !isWhole ? "stream" : node.isTail === true || node.group !== undefined ? "list" : "value";
    const read: Read = { segments, mode, strict: !here.optional && STRICT_ROOTS.has(segments[0]) ? strict : null };
    const variable: VariableNode = { type: "variable", value: `#${this.reads.length}`, read };
    this.reads.push(read);
    if (isWhole) return variable;
    steps.splice(first, taken, variable);
    return this.steps(node, first + 1, here);
  }

  /** The rest of a path: its first step sees what the path sees, the others see the items before them. */
  private steps(node: PathNode, from: number, here: Surroundings): AstNode {
    node.steps = node.steps.map((step, at) => {
      const rewritten = at < from ? step : this.visit(step, at === 0 ? here : inItem(here));
      this.stages(step.stages, here);
      for (const name of [step.focus, step.index]) if (name !== undefined) this.bind(name, offsetOf(step));
      if (rewritten !== step) moveMarks(step, rewritten);
      return rewritten;
    });
    return node;
  }

  /** `$$`, or `$` where that is the scope, at the start of a longer path. */
  private isScope(step: AstNode | undefined, here: Surroundings): boolean {
    if (step?.type !== "variable" || step.predicate !== undefined || !isUnmarked(step)) return false;
    return step.value === "$" || (step.value === "" && here.atRoot);
  }

  /** The expression can reach every step by a name that is computed. */
  private wholeScope(here: Surroundings): void {
    this.refer(referenceTo(["steps"], here.optional));
  }

  private refer(reference: FoundReference): void {
    this.references.set(JSON.stringify(reference), reference);
  }

  private bind(name: string, offset: number): void {
    // A tree update calls whatever `clone` is bound to, to leave its input alone; a binding named `then` could pass for a promise.
    if (name === "clone" || name === "then") this.problems.push({ message: `$${name} cannot be redefined`, offset });
    this.bound.add(name);
  }

  private checkName(name: string, offset: number): void {
    if (this.bound.has(name) || FUNCTION_NAMES.includes(name)) return;
    if (name === "eval") {
      const hint = "Write the expression itself; text from data is never evaluated.";
      this.problems.push({ message: "$eval does not exist here", hint, offset });
      return;
    }
    const near = nearest(name, [...FUNCTION_NAMES, ...this.bound]);
    const hint = near === undefined ? "Names of the scope stand without $: input, steps, vars." : `Did you mean $${near}?`;
    this.problems.push({ message: `there is no function or variable $${name}`, hint, offset });
  }
}

function inItem(here: Surroundings): Surroundings {
  return { atRoot: false, optional: here.optional };
}

/** The name, if nothing but a name stands there. */
function soleName(node: AstNode): string | undefined {
  const [only, ...others] = node.type === "path" ? node.steps : [];
  return only?.type === "name" && others.length === 0 ? only.value : undefined;
}

function offsetOf(node: NodeMarks): number {
  return node.position ?? 0;
}
