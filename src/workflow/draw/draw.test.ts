import { expect, test } from "vitest";
import { drawDot, drawMermaid, loadWorkflow } from "../index.ts";

async function graphOf(text: string) {
  const { graph } = await loadWorkflow(text, { operators: null });
  if (graph === undefined) throw new Error("no graph");
  return graph;
}

const steps = (cases: string) => `
name: edges
steps:
  end: { uses: 'a"b<i>#\\c' }
  route: { needs: end, switch: [${cases}] }
  yes_: { uses: t }
  no_: { uses: t, with: "{{ steps.end.output }}" }
`;

test("S1-14 Mermaid tells control, data and inferred edges apart, and escapes labels", async () => {
  const graph = await graphOf(
    steps("{ when: 'steps.end.output.a > 1 and steps.end.output.text = \"x\"', then: [yes_] }, { otherwise: [no_, yes_] }"),
  );
  expect(drawMermaid(graph).split("\n")).toEqual([
    "flowchart TD",
    '  s0["end<br/>a#34;b#60;i#62;#35;#92;c"]',
    '  s1{"route"}',
    '  s2["yes_<br/>t"]',
    '  s3["no_<br/>t"]',
    "  s0 --> s1",
    '  s1 ==>|"steps.end.output.a #62; 1 and steps.end.output.tex…"| s2',
    '  s0 -.->|"reference"| s3',
    '  s1 ==>|"otherwise"| s3',
    "",
  ]);
});

test("S1-14 DOT tells control, data and inferred edges apart, and escapes labels", async () => {
  const graph = await graphOf(steps("{ when: '{{ input.x }}', then: [yes_] }, { when: true, then: yes_ }"));
  expect(drawDot(graph).split("\n")).toEqual([
    'digraph "edges" {',
    "  rankdir=TB;",
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  s0 [label="end\\na\\"b<i>#\\\\c"];',
    '  s1 [label="route", shape=diamond, style=solid];',
    '  s2 [label="yes_\\nt"];',
    '  s3 [label="no_\\nt"];',
    "  s0 -> s1 [style=solid];",
    '  s1 -> s2 [style=bold, label="input.x or true"];',
    '  s0 -> s3 [style=dashed, label="reference"];',
    "}",
    "",
  ]);
});

test("order edges have their own look", async () => {
  const graph = await graphOf("name: t\nsteps: [{ uses: a }, { uses: b }]");
  expect(drawMermaid(graph)).toContain('s0 -.->|"then"| s1');
  expect(drawDot(graph)).toContain('s0 -> s1 [style=dashed, color=gray50, label="then"]');
});

const blocks = `
name: nested
steps:
  each:
    foreach: "{{ input.orders }}"
    steps:
      - { id: route, switch: [{ otherwise: tell }] }
      - { id: tell, loop: { while: round < 3, maxIterations: 9 }, steps: { ask: { uses: t } } }
  last: { loop: { until: true, while: input.x, maxIterations: 1 }, needs: each, steps: [{ uses: t }] }
`;

test("S1+11 Mermaid shows a block as a subgraph of its steps", async () => {
  expect(drawMermaid(await graphOf(blocks)).split("\n")).toEqual([
    "flowchart TD",
    '  subgraph s0["each<br/>foreach input.orders"]',
    '    s0_0{"route"}',
    '    subgraph s0_1["tell<br/>loop while round #60; 3"]',
    '      s0_1_0["ask<br/>t"]',
    "    end",
    '    s0_0 ==>|"otherwise"| s0_1',
    "  end",
    '  subgraph s1["last<br/>loop while input.x until true"]',
    '    s1_0["t_1<br/>t"]',
    "  end",
    "  s0 --> s1",
    "",
  ]);
});

test("S1+11 DOT shows a block as a cluster of itself and its steps", async () => {
  expect(
    drawDot(await graphOf(blocks))
      .split("\n")
      .slice(3),
  ).toEqual([
    "  subgraph cluster_s0 {",
    '    s0 [label="each\\nforeach input.orders", shape=folder, style=solid];',
    '    s0_0 [label="route", shape=diamond, style=solid];',
    "    subgraph cluster_s0_1 {",
    '      s0_1 [label="tell\\nloop while round < 3", shape=folder, style=solid];',
    '      s0_1_0 [label="ask\\nt"];',
    "    }",
    '    s0_0 -> s0_1 [style=bold, label="otherwise"];',
    "  }",
    "  subgraph cluster_s1 {",
    '    s1 [label="last\\nloop while input.x until true", shape=folder, style=solid];',
    '    s1_0 [label="t_1\\nt"];',
    "  }",
    "  s0 -> s1 [style=solid];",
    "}",
    "",
  ]);
});
