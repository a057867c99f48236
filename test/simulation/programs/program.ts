import type { Prng } from "../time/prng.ts";
import { type Call, growSafeCall, predictCall, writeCall } from "./call.ts";
import type {
  Construct,
  Draft,
  Expected,
  Garden,
  Node,
  PlannedUndo,
  Prediction,
  Predictor,
  Program,
  ProgramEnd,
  Seen,
  Writer,
} from "./construct.ts";
import { growFlow, NO_FLOW, writeFlow } from "./flow.ts";
import { CONSTRUCTS, WAITS } from "./registry.ts";
import { growPolicy, undoEnd, undoOf } from "./undo.ts";

/**
 * Counts what was added to the vocabulary: 2 brought tasks, approvals and compensation, 3 runs that may take too long and steps that a
 * person confirms after a crash, 4 flow control. A seed is one world in each of them.
 */
export const NEWEST_VOCABULARY = 4;

export interface Growth {
  readonly vocabulary: number;
  /** Whether a part stays in it, by a name that the part has in every world of the seed. */
  readonly keeps: (part: string) => boolean;
  readonly steps: number;
  /** Waits that nothing keeps the run from coming to. */
  readonly waits: number;
  /** Whether it may end because it takes too long. */
  readonly mayTimeOut: boolean;
  /** Whether it and its children may have limits. */
  readonly mayBeLimited: boolean;
  /** How deep children may have children. */
  readonly generations: number;
}

const DEEPEST = 3;
/** While its first steps are at work, while it waits, when most runs have long ended. */
const TIMEOUTS_MS = [150, 900, 5_000, 30_000] as const;

export function growProgram(prng: Prng, name: string, growth: Growth): Program {
  const { waits, vocabulary } = growth;
  const garden = plant(prng, name, growth);
  const first = growSafeCall(garden);
  const sureWaits = WAITS.filter((construct) => isKnown(construct, vocabulary));
  const surely = Array.from({ length: waits }, () => prng.pick(atLeastOne(sureWaits)).grow(garden, 0));
  const kept = surely.filter((_, index) => growth.keeps(`${name} wait ${index}`));
  const sure = kept.length;
  const parts = [...kept, ...garden.parts(Number.POSITIVE_INFINITY, 0)];
  const draft = emptyDraft();
  const { children } = draft;
  const written = writeCall(first, draft, []);
  parts.reduce<readonly string[]>((before, part, index) => write(part, draft, isBehindFirst(index, sure) ? written : before), written);
  const output = `{{ steps.${first.id}.output }}`;
  const vars = draft.vars.size === 0 ? {} : { vars: Object.fromEntries(draft.vars) };
  const undo = draft.undos.size === 0 ? null : { ...growPolicy(prng), of: draft.undos };
  const timeoutMs = growth.mayTimeOut && vocabulary >= 3 && prng.chance(0.25) ? prng.pick(TIMEOUTS_MS) : null;
  const timeout = timeoutMs === null ? {} : { timeout: timeoutMs };
  const grown = growth.mayBeLimited ? growFlow(prng, growth.mayTimeOut) : NO_FLOW;
  const flow = growth.keeps(`flow of ${name}`) ? grown : NO_FLOW;
  const policy = undo === null ? {} : { compensation: { order: undo.order, on: undo.on } };
  return {
    name,
    definition: { name, ...vars, ...policy, ...timeout, ...writeFlow(flow), steps: Object.fromEntries(draft.steps), output },
    calls: draft.calls,
    blocks: draft.blocks,
    tasks: draft.tasks,
    undo,
    flow,
    timeoutMs,
    ids: [...draft.steps.keys()],
    children: [...children.values()].flatMap((one) => [...one.children, one]),
    predict: (seen) => predictProgram(first, parts, sure, undo, seen),
  };
}

function emptyDraft(): Draft {
  return {
    steps: new Map(),
    calls: new Map(),
    blocks: new Map(),
    tasks: new Map(),
    undos: new Map(),
    vars: new Map(),
    children: new Map<string, Program>(),
    prefix: "",
  };
}

/** Each part of the top follows the first call or the part before it. */
function isBehindFirst(index: number, sure: number): boolean {
  return index < sure || index % 2 === 0;
}

function plant(prng: Prng, name: string, { steps, generations, vocabulary, keeps, mayBeLimited }: Growth): Garden {
  let ids = 0;
  let programs = 0;
  let numbered = 0;
  const garden: Garden = {
    prng,
    vocabulary,
    left: steps,
    place: "root",
    nesting: 0,
    generations,
    newId: (prefix) => `${prefix}${++ids}`,
    parts: (count, depth) => {
      const parts: Node[] = [];
      for (let left = count; left > 0 && garden.left > 0; left--) {
        const number = ++numbered;
        const part = choose(garden, depth).grow(garden, depth);
        if (keeps(`${name} ${part.kind} ${number}`)) parts.push(part);
      }
      return parts;
    },
    program: (budget) => {
      const growth = { steps: budget, waits: prng.int(2), mayTimeOut: true, generations: generations - 1, vocabulary, keeps, mayBeLimited };
      return growProgram(prng, `${name}k${++programs}`, growth);
    },
  };
  return garden;
}

function isKnown({ since = 1 }: Construct, vocabulary: number): boolean {
  return since <= vocabulary;
}

function choose({ prng, left, generations, nesting, vocabulary }: Garden, depth: number): Construct {
  const fits = (construct: Construct): boolean => isKnown(construct, vocabulary) && hasRoom(construct);
  const hasRoom = ({ atLeast, kind, needsOwnName }: Construct): boolean =>
    (kind !== "child" || generations > 0) &&
    (needsOwnName !== true || nesting < 2) &&
    (atLeast === 1 || (depth < DEEPEST && atLeast <= left));
  const fitting = CONSTRUCTS.filter(fits);
  let ticket = prng.int(fitting.reduce((sum, { weight }) => sum + weight, 0));
  return fitting.find(({ weight }) => (ticket -= weight) < 0) ?? constructOf("call");
}

function predictProgram(first: Call, parts: readonly Node[], sure: number, undo: PlannedUndo | null, seen: Seen): ProgramEnd {
  const steps = new Map<string, Expected>();
  const prediction: Prediction = {
    steps,
    seen,
    stimuli: [],
    loose: new Set(),
    prefix: "",
    ids: [],
    plus: 0,
    tag: "",
    hasFailed: false,
  };
  const passed = predictCall(first, prediction, []);
  parts.reduce((before, part, index) => predict(part, prediction, isBehindFirst(index, sure) ? passed : before), passed);
  const { hasFailed, loose, stimuli } = prediction;
  const output = hasFailed ? null : (steps.get(first.id)?.output ?? null);
  if (hasFailed && undo?.on.includes("failure") === true) predictUndone(undo, steps);
  return { status: hasFailed ? "FAILED" : "SUCCEEDED", output, steps, loose, stimuli };
}

/** Everything that succeeded is undone, once. */
function predictUndone({ of }: PlannedUndo, steps: Map<string, Expected>): void {
  for (const [id, undo] of of) {
    const done = steps.get(id);
    if (done?.status === "SUCCEEDED") steps.set(undoOf(id), undoEnd(undo, done));
  }
}

const write: Writer = (node, draft, needs) => constructOf(node.kind).write(node, draft, needs, write);
const predict: Predictor = (node, prediction, before) => constructOf(node.kind).predict(node, prediction, before, predict);

function constructOf(kind: string): Construct {
  const found = CONSTRUCTS.find((construct) => construct.kind === kind);
  if (found === undefined) throw new Error(`there is no construct ${kind}`);
  return found;
}

function atLeastOne<T>(from: readonly T[]): readonly [T, ...T[]] {
  const [one, ...others] = from;
  if (one === undefined) throw new Error("there is nothing to choose from");
  return [one, ...others];
}
