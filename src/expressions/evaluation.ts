import type { Random } from "../model/clock.ts";
import { invariant } from "../model/errors.ts";
import { LIMITS } from "../model/limits.ts";
import { explainAbsence, isOnSkippedStep } from "./absence.ts";
import type { AstNode } from "./ast.ts";
import { type Focus, type Frame, isFunctionValue } from "./function-value.ts";
import { type Read, readScope } from "./read.ts";
import { Refusal, tooMuch } from "./refusal.ts";
import { seededRandom } from "./seeded-random.ts";
import type { EvaluationContext, Scope } from "./template.ts";
import { Scale } from "./weight.ts";

/** JSONata calls what is bound to this after each node that it has evaluated. */
const AFTER_NODE = Symbol.for("jsonata.__evaluate_exit");
const EVALUATION = "#evaluation";
/**
 * Nodes that are evaluated before the clock counts: time passes also while other evaluations have the processor, so a short
 * expression among many must not be told that it was slow. About 50 ms of work.
 */
const UNTIMED_NODES = 50_000;
/** The clock is read once per so many nodes. */
const NODES_PER_CLOCK = 64;
/** Characters looked at by a regular expression that count as one node. */
const CHARACTERS_PER_NODE = 256;
/** How many results of the largest size one evaluation may build on the way. */
const INTERMEDIATE_RESULTS = 10;

/** A read with the name under which the rewritten expression finds it. */
export interface NamedRead {
  readonly name: string;
  readonly read: Read;
}

/** One evaluation of one expression: what it may see, and what it has used up. */
export class Evaluation {
  readonly nowMs: number;
  /** In list mode: the value was a sequence without items, which JSONata gives as undefined. */
  isEmptySequence = false;
  private readonly scope: Scope;
  private readonly reads: readonly NamedRead[];
  private readonly context: EvaluationContext;
  private readonly seedSuffix: string;
  private readonly scale = new Scale();
  private generator: Random | undefined;
  private frame: Frame | undefined;
  private nodes = 0;
  private checkClock: (() => void) | undefined;

  constructor(scope: Scope, reads: readonly NamedRead[], context: EvaluationContext, seedSuffix: string) {
    this.scope = scope;
    this.reads = reads;
    this.nowMs = context.nowMs;
    this.context = context;
    this.seedSuffix = seedSuffix;
  }

  /** The evaluation that a native function was called in. */
  static of(focus: Focus): Evaluation {
    const found = focus.environment.lookup(EVALUATION);
    invariant(found instanceof Evaluation, "a function of Stepwell was called outside an evaluation");
    return found;
  }

  /** Watches a frame that JSONata has just made, before it evaluates anything in it. */
  attach(frame: Frame): void {
    this.frame = frame;
    for (const { name, read } of this.reads) frame.bind(name, readScope(this.scope, read));
    frame.bind(EVALUATION, this);
    frame.bind(AFTER_NODE, (node: AstNode, _input: unknown, _environment: unknown, result: unknown) => this.afterNode(node, result));
  }

  /** JSONata's own check of time knows nothing of other evaluations, and its depth counts what runs side by side. */
  takeOverGuardrails(): void {
    const { frame } = this;
    invariant(frame !== undefined, "JSONata made no frame for an evaluation");
    const { guardrails } = frame;
    this.checkClock = guardrails;
    frame.guardrails = () => {
      if (frame.depth > LIMITS.expressionDepth) throw tooMuch(`more than ${LIMITS.expressionDepth} parts of it wait for each other`);
      this.spend(1);
    };
  }

  random(): number {
    this.generator ??= seededRandom(`${this.context.seed}\u0000${this.seedSuffix}`);
    return this.generator();
  }

  /** Counts the characters that a regular expression may look at. */
  spendCharacters(characters: number): void {
    this.spend(1 + characters / CHARACTERS_PER_NODE);
  }

  /** What a variable of the scope gave is checked when it is asked for: a branch that is not taken may lack it. */
  private requirePath({ strict, segments, mode }: Read, value: unknown): void {
    if (strict === null || (value !== undefined && strict === segments && mode !== "stream")) return;
    const refusal = explainAbsence(this.scope, strict);
    if (refusal !== undefined && !isOnSkippedStep(this.scope, strict)) throw refusal;
  }

  private spend(nodes: number): void {
    const before = this.nodes;
    this.nodes += nodes;
    const { checkClock } = this;
    invariant(checkClock !== undefined, "an evaluation was not started");
    if (this.nodes > UNTIMED_NODES && Math.floor(before / NODES_PER_CLOCK) !== Math.floor(this.nodes / NODES_PER_CLOCK)) checkClock();
  }

  private afterNode(node: AstNode, result: unknown): void {
    if (typeof result === "string") {
      if (result.length > LIMITS.payloadBytes) throw tooMuch(`a text grows longer than ${LIMITS.payloadBytes} characters`);
    } else if (typeof result === "object" && result !== null && node.type !== "name" && node.type !== "variable") {
      this.weigh(result);
    }
    if (node.type === "variable" && node.read !== undefined) this.requirePath(node.read, result);
    if (node.isCallee === true && !isFunctionValue(result)) {
      throw new Refusal("EXPRESSION_FAILED", "it calls something that is not a function", "Functions start with $, for example $sum(…).");
    }
    // A sequence of one is its item once this returns.
    if (node.isMember === true && typeof (Array.isArray(result) ? result[0] : result) === "function") {
      throw new Refusal("EXPRESSION_TYPE", "a member of an object cannot be a function that was passed as an argument");
    }
    if (node.isTail === true && Array.isArray(result) && result.length === 0) this.isEmptySequence = true;
  }

  private weigh(value: object): void {
    const limit = LIMITS.expressionResultMembers;
    if (this.scale.weigh(value) > limit) throw tooMuch(`it builds a value of more than ${limit} members`);
    if (this.scale.total > INTERMEDIATE_RESULTS * limit)
      throw tooMuch(`it builds values of more than ${INTERMEDIATE_RESULTS * limit} members in all`);
  }
}
