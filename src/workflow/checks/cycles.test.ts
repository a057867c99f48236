import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonObject } from "../../model/json.ts";
import { compileDefinition, loadWorkflow } from "../index.ts";

const load = async (steps: string) => (await loadWorkflow(`name: t\nsteps:\n${steps}`, { operators: null })).problems;

test("S4-21 a cycle is named in the order of its steps, with what implied it", async () => {
  const problems = await load(
    '  c: { uses: t, needs: [b] }\n  a: { uses: t, needs: [c] }\n  b: { uses: t, with: "{{ steps.a.output }}" }\n  after: { uses: t, needs: [b] }\n',
  );
  expect(problems).toEqual([
    {
      code: "STEP_CYCLE",
      severity: "error",
      message: "Steps wait for each other in a circle: c → a → b → c",
      hint: "Not written as `needs` but implied: a → b (a reference).",
      path: "steps.c",
      position: { line: 3, column: 3 },
    },
  ]);
});

test("a step that needs itself is a circle, and so is a switch that selects itself", async () => {
  const messages = (await load("  a: { uses: t, needs: [a] }\n  r: { switch: [{ when: input.x, then: [r] }] }\n")).map(
    ({ message, hint }) => [message, hint],
  );
  expect(messages).toEqual([
    ["Steps wait for each other in a circle: a → a", "Remove one of these `needs` or `switch` targets."],
    ["Steps wait for each other in a circle: r → r", "Remove one of these `needs` or `switch` targets."],
  ]);
});

test("separate circles are separate problems, and a long one is cut", async () => {
  const ring = Array.from({ length: 20 }, (_, i) => `  s${i}: { uses: t, needs: [s${(i + 19) % 20}] }\n`).join("");
  const messages = (await load(`${ring}  x: { uses: t, needs: [y, s3] }\n  y: { uses: t, needs: [x] }\n`)).map(({ message }) => message);
  expect(messages).toEqual([
    `Steps wait for each other in a circle: ${Array.from({ length: 12 }, (_, i) => `s${i} → `).join("")}… (20 steps) → s0`,
    "Steps wait for each other in a circle: x → y → x",
  ]);
});

test("the order of a list takes part in circles", async () => {
  const [problem] = await load("  - { id: a, uses: t, needs: [b] }\n  - { id: b, uses: t }\n");
  expect(problem).toMatchObject({ code: "STEP_CYCLE", path: "steps[0]", hint: "Not written as `needs` but implied: a → b (list order)." });
});

/** Whether some step reaches itself, by following every edge from every step. */
function hasCircle(needs: readonly (readonly number[])[]): boolean {
  return needs.some((_, start) => {
    const seen = new Set<number>();
    const open = [...(needs[start] ?? [])];
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      if (step === start) return true;
      if (!seen.has(step)) open.push(...(needs[step] ?? []));
      seen.add(step);
    }
    return false;
  });
}

test("S4-21 any circle is found, each named circle is one, and nothing else is reported", async () => {
  const graph = fc
    .integer({ min: 1, max: 9 })
    .chain((count) => fc.array(fc.uniqueArray(fc.nat(count - 1), { maxLength: 2 }), { minLength: count, maxLength: count }));
  await fc.assert(
    fc.asyncProperty(graph, async (needs) => {
      const steps: JsonObject = Object.fromEntries(
        needs.map((froms, step) => [`s${step}`, { uses: "t", needs: froms.map((from) => `s${from}`) }]),
      );
      const { graph: compiled, problems } = await compileDefinition({ name: "t", steps }, { operators: null });
      expect(compiled === undefined).toBe(hasCircle(needs));
      for (const { code, message } of problems) {
        expect(code).toBe("STEP_CYCLE");
        const names = message.slice(message.indexOf(": ") + 2).split(" → ");
        expect(names.length).toBeGreaterThan(1);
        expect(names[0]).toBe(names.at(-1));
        names.slice(1).forEach((name, index) => {
          expect(needs[Number(name.slice(1))]).toContain(Number(names[index]?.slice(1)));
        });
      }
    }),
  );
});
