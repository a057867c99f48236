import { describe, expect, test } from "vitest";
import { loadWorkflow } from "../index.ts";

async function load(steps: string) {
  const { problems } = await loadWorkflow(`name: t\nsteps:\n${steps}`, { operators: null });
  return problems.map(({ code, path, message }) => [code, path, message]);
}

describe("a branch that is never taken", () => {
  const route = (cases: string, mode = "exclusive") =>
    load(`  r: { mode: ${mode}, switch: [${cases}] }\n  a: { uses: t }\n  b: { uses: t }\n  c: { uses: t }\n`);

  test("a case that is always false, and the step that only it selects", async () => {
    for (const never of ["false", "'{{ false }}'", "' false '"]) {
      expect(await route(`{ when: ${never}, then: [a] }, { when: input.x, then: [b] }, { otherwise: [b, c] }`)).toEqual([
        ["BRANCH_UNREACHABLE", "steps.r.switch[0].when", "This branch is never taken: its condition is always false"],
        ["STEP_UNREACHABLE", "steps.a", "Step `a` can never run: no branch that selects it is ever taken"],
      ]);
    }
  });

  test("what stands behind a case that always holds", async () => {
    expect(await route("{ when: input.x, then: a }, { when: true, then: a }, { when: input.y, then: b }, { otherwise: [a, c] }")).toEqual([
      ["BRANCH_UNREACHABLE", "steps.r.switch[2].when", "This branch is never taken: case 2 before it always holds"],
      ["BRANCH_UNREACHABLE", "steps.r.switch[3].otherwise", "This branch is never taken: case 2 always holds"],
      ["STEP_UNREACHABLE", "steps.b", "Step `b` can never run: no branch that selects it is ever taken"],
      ["STEP_UNREACHABLE", "steps.c", "Step `c` can never run: no branch that selects it is ever taken"],
    ]);
  });

  test("a condition that an earlier case already has", async () => {
    expect(await route("{ when: 'input.x = 1', then: a }, { when: '{{ input.x = 1 }}', then: a }, { otherwise: [b, c] }")).toEqual([
      ["BRANCH_UNREACHABLE", "steps.r.switch[1].when", "This branch is never taken: case 1 before it has the same condition"],
    ]);
  });

  test("a second otherwise, wherever it stands", async () => {
    expect(await route("{ otherwise: [a] }, { when: input.x, then: [b] }, { otherwise: [c, a] }")).toEqual([
      ["BRANCH_UNREACHABLE", "steps.r.switch[2].otherwise", "This branch is never taken: entry 1 is the `otherwise` of this switch"],
      ["STEP_UNREACHABLE", "steps.c", "Step `c` can never run: no branch that selects it is ever taken"],
    ]);
  });

  test("an inclusive switch takes every case that holds", async () => {
    expect(await route("{ when: true, then: a }, { when: input.x, then: b }, { when: input.x, then: c }", "inclusive")).toEqual([]);
    expect(await route("{ when: true, then: [a, b] }, { otherwise: [c, a] }", "inclusive")).toEqual([
      ["BRANCH_UNREACHABLE", "steps.r.switch[1].otherwise", "This branch is never taken: case 1 always holds"],
      ["STEP_UNREACHABLE", "steps.c", "Step `c` can never run: no branch that selects it is ever taken"],
    ]);
  });

  test("a step that another switch selects can run", async () => {
    const problems = await load(
      "  r: { switch: [{ when: false, then: a }] }\n  q: { switch: [{ when: input.x, then: a }] }\n  a: { uses: t }\n",
    );
    expect(problems.map(([code]) => code)).toEqual(["BRANCH_UNREACHABLE"]);
  });
});

describe("a step that can never run", () => {
  const branches =
    "  r: { switch: [{ when: input.x, then: [a, both] }, { when: input.y, then: [b] }, { otherwise: [c, both] }] }\n  a: { uses: t }\n  b: { uses: t }\n  c: { uses: t }\n  both: { uses: t }\n";

  test("its own condition is always false", async () => {
    expect(await load('  a: { uses: t, when: "{{ false }}" }\n  b: { uses: t, when: true }\n')).toEqual([
      ["STEP_UNREACHABLE", "steps.a.when", "Step `a` can never run: its `when` is always false"],
    ]);
  });

  test("it needs two branches of which one is taken", async () => {
    expect(await load(`${branches}  d: { uses: t, join: all, needs: [a, b] }\n`)).toEqual([
      ["STEP_UNREACHABLE", "steps.d", "Step `d` can never run: it needs `b`, and `r` never selects both branches"],
    ]);
    expect(await load(`${branches}  after: { uses: t, needs: [a] }\n  d: { uses: t, join: all, needs: [after, c] }\n`)).toEqual([
      ["STEP_UNREACHABLE", "steps.d", "Step `d` can never run: it needs `after`, and `r` never selects both branches"],
    ]);
    expect(await load(`${branches}  d: { uses: t, with: ["{{ steps.a.output }}", "{{ steps.b.output }}"] }\n`)).toMatchObject([
      ["STEP_NOT_BEFORE", "steps.d.with[1]", "Step `d` refers to `b`, but `r` never selects both"],
    ]);
  });

  test("what is left of shared branches counts", async () => {
    const shared =
      "  r: { switch: [{ when: input.x, then: [both, late] }, { when: input.y, then: both }, { otherwise: c }] }\n  both: { uses: t }\n  late: { uses: t }\n  c: { uses: t }\n";
    const second = "  q: { switch: [{ when: input.z, then: [late] }] }\n";
    expect(await load(`${shared}  d: { uses: t, join: all, needs: [both, late] }\n`)).toEqual([]);
    const split = shared.replace("then: both }", "then: [both, other] }");
    expect(
      await load(
        `${split}  other: { uses: t }\n  d: { uses: t, join: all, needs: [both, late] }\n  e: { uses: t, join: all, needs: [d, other] }\n`,
      ),
    ).toEqual([["STEP_UNREACHABLE", "steps.e", "Step `e` can never run: it needs `d`, and `r` never selects both branches"]]);
    expect(await load(`${shared}${second}  d: { uses: t, join: all, needs: [late, c] }\n`)).toEqual([]);
  });

  test("some, settled, inclusive and shared branches are fine", async () => {
    expect(await load(`${branches}  d: { uses: t, needs: [a, b] }\n`)).toEqual([]);
    expect(await load(`${branches}  d: { uses: t, join: settled, needs: [a, b] }\n`)).toEqual([]);
    expect(
      await load(`${branches}  d: { uses: t, join: all, needs: [a, both] }\n  e: { uses: t, join: all, needs: [both, c, d] }\n`),
    ).toEqual([["STEP_UNREACHABLE", "steps.e", "Step `e` can never run: it needs `d`, and `r` never selects both branches"]]);
    expect(await load(`${branches.replace("{ switch", "{ mode: inclusive, switch")}  d: { uses: t, join: all, needs: [a, b] }\n`)).toEqual(
      [],
    );
  });
});

describe("a reference to a step that cannot have run", () => {
  test("into the other branch of a switch, in a map and in a list", async () => {
    const map =
      '  r: { switch: [{ when: input.x, then: [a] }, { otherwise: [b] }] }\n  a: { uses: t }\n  b: { uses: t, with: "{{ steps.a.output }}" }\n';
    expect(await load(map)).toEqual([["STEP_NOT_BEFORE", "steps.b.with", "Step `b` refers to `a`, but `r` never selects both"]]);
    const list =
      '  - { id: r, switch: [{ when: input.x, then: [a] }, { otherwise: [b] }] }\n  - { id: a, uses: t }\n  - { id: b, uses: t, with: "{{ steps.a.output }}" }\n';
    expect(await load(list)).toEqual([["STEP_NOT_BEFORE", "steps[2].with", "Step `b` refers to `a`, but `r` never selects both"]]);
  });

  test("with a default, or behind the branches, it is fine", async () => {
    const branches = "  r: { switch: [{ when: input.x, then: [a] }, { otherwise: [b] }] }\n  a: { uses: t }\n";
    expect(await load(`${branches}  b: { uses: t, join: settled, with: "{{ steps.a.output ?? 1 }}" }\n`)).toEqual([]);
    expect(await load(`${branches}  b: { uses: t, with: "{{ steps.a.output ?? 1 }}" }\n`)).toEqual([
      ["STEP_UNREACHABLE", "steps.b", "Step `b` can never run: it needs `a`, and `r` never selects both branches"],
    ]);
    expect(
      await load(`${branches}  b: { uses: t, with: "{{ steps.r.output.selected }}" }\n  c: { uses: t, with: "{{ steps.a.output }}" }\n`),
    ).toEqual([]);
  });

  test("nested switches carry their branches", async () => {
    const steps = `
  outer: { switch: [{ when: input.x, then: [inner] }, { otherwise: [other] }] }
  inner: { switch: [{ when: input.y, then: [deep] }] }
  deep: { uses: t, with: "{{ steps.other.output }}" }
  other: { uses: t }
`;
    expect(await load(steps)).toEqual([
      ["STEP_NOT_BEFORE", "steps.deep.with", "Step `deep` refers to `other`, but `outer` never selects both"],
    ]);
  });

  test("many switches in a row are checked as far as the bound", async () => {
    const chain = Array.from({ length: 12 }, (_, i) => `  r${i}: { switch: [{ when: input.x, then: [r${i + 1}] }] }\n`).join("");
    expect(await load(`${chain}  r12: { uses: t }\n  last: { uses: t, join: all, needs: [r11, r12] }\n`)).toEqual([]);
    const second = chain.replaceAll(/\br(\d+)/g, "q$1");
    expect(
      await load(`${chain}${second}  r12: { uses: t }\n  q12: { uses: t }\n  last: { uses: t, join: all, needs: [r12, q12] }\n`),
    ).toEqual([]);
  });
});
