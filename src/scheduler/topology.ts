import { InvariantViolation } from "../model/errors.ts";
import type { EdgeKind, Join, OnError, OnFailure } from "../model/graph-terms.ts";
import { at } from "./at.ts";
import { controlEdgeTo, edgeLimit, packEdge } from "./edge.ts";
import { asRow, asSwitchTarget, firstEdgeIn, MAX_EDGES, traitsOf } from "./row.ts";
import { MAX_IN_DEGREE, withOneEdgeMore } from "./word.ts";

/** What the scheduler needs of a compiled workflow; a step's position is its ordinal. */
export interface GraphShape {
  readonly steps: readonly { readonly join: Join; readonly onError: OnError }[];
  readonly edges: readonly { readonly from: number; readonly to: number; readonly kind: EdgeKind; readonly required: boolean }[];
  readonly onFailure: OnFailure;
}

/** A graph in compressed sparse rows: made once for a version, shared by all of its runs, never written. */
export interface Topology {
  readonly stepCount: number;
  readonly stopsOnFailure: boolean;
  /** What `row.ts` says of each step, and a closing row: the edges of a step stand in `edges` from its own to before the next row's first. */
  readonly rows: Int32Array;
  /** Packed as in `edge.ts`, growing within a step, so that what one completion unlocks comes in declaration order. */
  readonly edges: Int32Array;
  /** Each step's word (see `word.ts`) at the start of a run: PENDING, all its edges unsettled. */
  readonly initialWords: Int32Array;
}

/** What a packed decision and a packed edge have room for. */
const MAX_STEPS = 2 ** 28;

/**
 * O(steps + edges).
 *
 * @throws InvariantViolation when an edge names a step that does not exist, or a count is beyond what 32 bits hold
 */
export function createTopology(shape: GraphShape): Topology {
  const stepCount = shape.steps.length;
  if (stepCount > MAX_STEPS) throw new InvariantViolation(`a graph has ${stepCount} steps, more than ${MAX_STEPS}`);
  if (shape.edges.length > MAX_EDGES) throw new InvariantViolation(`a graph has ${shape.edges.length} edges, more than ${MAX_EDGES}`);
  const traits = Int32Array.from(shape.steps, ({ join, onError }) => traitsOf(join, onError));
  const inDegree = new Int32Array(stepCount);
  const initialWords = new Int32Array(stepCount);
  for (const { to, kind } of shape.edges) {
    const degree = at(inDegree, to) + 1;
    if (degree > MAX_IN_DEGREE) throw new InvariantViolation(`step ${to} has more than ${MAX_IN_DEGREE} edges`);
    inDegree[to] = degree;
    initialWords[to] = withOneEdgeMore(at(initialWords, to));
    if (kind === "control") traits[to] = asSwitchTarget(at(traits, to));
  }
  const { first, edges } = sortEdges(shape);
  const rows = first.map((firstEdge, step) => asRow(step === stepCount ? 0 : at(traits, step), firstEdge));
  return { stepCount, stopsOnFailure: shape.onFailure === "stop", rows, edges, initialWords };
}

/** Two stable counting sorts, by packed edge and then by source: the edges of a source stand together and grow. */
function sortEdges({ steps, edges }: GraphShape): { readonly first: Int32Array; readonly edges: Int32Array } {
  const packed = Int32Array.from(edges, ({ to, kind, required }) => packEdge(to, kind, required));
  const sources = Int32Array.from(edges, ({ from }) => from);
  const inGivenOrder = packed.map((_, position) => position);
  const byTarget = countingSort(packed, inGivenOrder, edgeLimit(steps.length));
  const bySource = countingSort(sources, byTarget.order, steps.length);
  return { first: bySource.first, edges: bySource.order.map((position) => at(packed, position)) };
}

/** Orders `order` (positions in `keys`) by key; `first[k]` is where key `k` begins in the result, with one closing entry. */
function countingSort(keys: Int32Array, order: Int32Array, keyCount: number): { readonly first: Int32Array; readonly order: Int32Array } {
  const first = new Int32Array(keyCount + 1);
  for (const key of keys) first[key + 1] = at(first, key + 1) + 1;
  for (let key = 0; key < keyCount; key++) first[key + 1] = at(first, key + 1) + at(first, key);
  const next = first.slice();
  const sorted = new Int32Array(order.length);
  for (const position of order) {
    const key = at(keys, position);
    const place = at(next, key);
    sorted[place] = position;
    next[key] = place + 1;
  }
  return { first, order: sorted };
}

/** Whether `step` is a switch that has `target` among its targets; a binary search in its row. */
export function leadsTo(topology: Topology, step: number, target: number): boolean {
  const wanted = controlEdgeTo(target);
  const end = firstEdgeIn(at(topology.rows, step + 1));
  let low = firstEdgeIn(at(topology.rows, step));
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(topology.edges, middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low < end && at(topology.edges, low) === wanted;
}
