import { describe, expect, test } from "vitest";
import { decisionKind } from "./decision.ts";
import { firstEdgeIn, MAX_EDGES } from "./row.ts";
import { createTopology, type GraphShape } from "./topology.ts";
import { MAX_IN_DEGREE } from "./word.ts";

const STEP = { join: "some", onError: "fail" } as const;

describe("topology", () => {
  test("the edges of a step stand together, in the order of their targets", () => {
    const topology = createTopology({
      steps: [STEP, STEP, STEP],
      edges: [
        { from: 1, to: 2, kind: "data", required: true },
        { from: 0, to: 2, kind: "order", required: false },
        { from: 0, to: 1, kind: "data", required: false },
        { from: 0, to: 2, kind: "control", required: false },
      ],
      onFailure: "stop",
    });
    expect([...topology.rows].map(firstEdgeIn)).toEqual([0, 3, 4, 4]);
    expect([...topology.edges].map((edge) => [edge >> 2, edge & 3])).toEqual([
      [1, 1],
      [2, 2],
      [2, 3],
      [2, 0],
    ]);
    expect(topology.stopsOnFailure).toBe(true);
  });

  test.each([
    ["to", { from: 0, to: 1, kind: "data", required: true }],
    ["from", { from: -1, to: 0, kind: "data", required: true }],
  ] as const)("an edge %s a step that does not exist is refused", (_, edge) => {
    expect(() => createTopology({ steps: [STEP], edges: [edge], onFailure: "stop" })).toThrow("there is no number");
  });

  test("more edges into one step than a word counts are refused", () => {
    const edge = { from: 0, to: 1, kind: "order", required: false } as const;
    const edges: GraphShape["edges"] = Array.from({ length: MAX_IN_DEGREE + 1 }, () => edge);
    expect(() => createTopology({ steps: [STEP, STEP], edges, onFailure: "stop" })).toThrow(`more than ${MAX_IN_DEGREE} edges`);
  });

  test("more steps than a decision can name are refused", () => {
    const steps: (typeof STEP)[] = [];
    steps.length = 2 ** 28 + 1;
    expect(() => createTopology({ steps, edges: [], onFailure: "stop" })).toThrow("more than 268435456");
  });

  test("more edges than a row can point to are refused", () => {
    const edges: GraphShape["edges"][number][] = [];
    edges.length = MAX_EDGES + 1;
    expect(() => createTopology({ steps: [], edges, onFailure: "stop" })).toThrow(`more than ${MAX_EDGES}`);
  });

  test("a number that is not a decision has no kind", () => {
    expect(() => decisionKind(-1)).toThrow("-1 is not a decision");
  });
});
