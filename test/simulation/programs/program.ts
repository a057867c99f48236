import type { Prng } from "../time/prng.ts";
import { type Call, growSafeCall, predictCall, writeCall } from "./call.ts";
import type { Construct, Draft, Expected, Garden, Node, Prediction, Predictor, Program, ProgramEnd, Seen, Writer } from "./construct.ts";
import { CONSTRUCTS, WAITS } from "./registry.ts";

/** What is known of a run before anything went wrong in it. */
export function unseen(publicId: string): Seen {
  return { publicId, isUnknown: () => false, hasTimedOut: () => false, child: () => undefined, isCancelled: false };
}

export interface Growth {
  readonly steps: number;
  /** Waits that nothing keeps the run from coming to. */
  readonly waits: number;
  /** How deep children may have children. */
  readonly generations: number;
}

const DEEPEST = 3;

export function growProgram(prng: Prng, name: string, { steps, waits, generations }: Growth): Program {
  const garden = plant(prng, name, steps, generations);
  const first = growSafeCall(garden);
  const parts: Node[] = Array.from({ length: waits }, () => prng.pick(atLeastOne(WAITS)).grow(garden, 0));
  const sure = parts.length;
  while (garden.left > 0) parts.push(garden.part(0));
  const children = new Map<string, Program>();
  const draft: Draft = { steps: new Map(), calls: new Map(), blocks: new Map(), vars: new Map(), children, prefix: "" };
  const written = writeCall(first, draft, []);
  parts.reduce<readonly string[]>((before, part, index) => write(part, draft, isBehindFirst(index, sure) ? written : before), written);
  const output = `{{ steps.${first.id}.output }}`;
  const vars = draft.vars.size === 0 ? {} : { vars: Object.fromEntries(draft.vars) };
  return {
    name,
    definition: { name, ...vars, steps: Object.fromEntries(draft.steps), output },
    calls: draft.calls,
    blocks: draft.blocks,
    ids: [...draft.steps.keys()],
    children: [...children.values()].flatMap((one) => [...one.children, one]),
    predict: (seen) => predictProgram(first, parts, sure, seen),
  };
}

/** Each part of the top follows the first call or the part before it. */
function isBehindFirst(index: number, sure: number): boolean {
  return index < sure || index % 2 === 0;
}

function plant(prng: Prng, name: string, steps: number, generations: number): Garden {
  let ids = 0;
  let programs = 0;
  const garden: Garden = {
    prng,
    left: steps,
    place: "root",
    nesting: 0,
    generations,
    newId: (prefix) => `${prefix}${++ids}`,
    part: (depth) => choose(garden, depth).grow(garden, depth),
    program: (budget) => growProgram(prng, `${name}k${++programs}`, { steps: budget, waits: prng.int(2), generations: generations - 1 }),
  };
  return garden;
}

function choose({ prng, left, generations, nesting }: Garden, depth: number): Construct {
  const fits = ({ atLeast, kind, needsOwnName }: Construct): boolean =>
    (kind !== "child" || generations > 0) &&
    (needsOwnName !== true || nesting < 2) &&
    (atLeast === 1 || (depth < DEEPEST && atLeast <= left));
  const fitting = CONSTRUCTS.filter(fits);
  let ticket = prng.int(fitting.reduce((sum, { weight }) => sum + weight, 0));
  return fitting.find(({ weight }) => (ticket -= weight) < 0) ?? constructOf("call");
}

function predictProgram(first: Call, parts: readonly Node[], sure: number, seen: Seen): ProgramEnd {
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
  return { status: hasFailed ? "FAILED" : "SUCCEEDED", output, steps, loose, stimuli };
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
