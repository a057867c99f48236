import { expect, expectTypeOf, test } from "vitest";
import type { Json } from "../model/json.ts";
import { compileDefinition, expression, loadWorkflow, workflow } from "./index.ts";

const orders = workflow("orders", {
  input: {
    type: "object",
    required: ["lines"],
    properties: {
      lines: {
        type: "array",
        items: {
          type: "object",
          required: ["sku", "qty"],
          properties: { sku: { type: "string" }, qty: { type: "number" } },
        },
      },
    },
  },
  compensation: { order: "forward", on: ["failure", "cancel"] },
})
  .step("rates", {
    run: () => ({ tax: 0.19 }),
    compensate: { uses: "log", with: ($) => ({ message: $.self.output["tax"], late: $.run["id"] }), retry: { maxAttempts: 2 } },
  })
  .foreach("lines", { items: ($) => $.input.lines, maxConcurrency: 10, tolerate: "10%" }, (body) =>
    body
      .step("price", {
        with: ($) => ({ sku: $.item.sku, at: $.index, tax: $.steps.rates.output.tax }),
        run: (line) => {
          expectTypeOf(line).toEqualTypeOf<{ readonly sku: string; readonly at: number; readonly tax: number }>();
          return { total: line.tax };
        },
      })
      .output(($) => $.steps.price.output.total),
  )
  .loop(
    "drain",
    {
      with: ($) => ({ left: 3, first: $.input.lines[0]?.sku ?? "" }),
      while: ($) => expression`${$.carry.left} > 0`,
      maxIterations: 9,
      delay: "1s",
    },
    (body) =>
      body
        .step("take", {
          with: ($) => [$.carry.left, $.round, $.steps.rates.output.tax] as const,
          run: ([left]) => {
            expectTypeOf(left).toEqualTypeOf<number>();
            return left - 1;
          },
        })
        .foreach("each", { items: () => [1, 2], sequential: true }, (inner) =>
          inner.step("x", { uses: "transform", with: ($) => [$.item, $.carry.left] }),
        )
        .until(($) => expression`${$.steps.take.output} = 0`)
        .carry(($) => ({ left: $.steps.take.output, first: "x" })),
  )
  .step("last", {
    with: ($) => ({ lines: $.steps.lines.output, drain: $.steps.drain.output }),
    run: ({ lines, drain }) => {
      expectTypeOf(lines).toEqualTypeOf<readonly (number | null)[]>();
      expectTypeOf(drain.take).toEqualTypeOf<number>();
      expectTypeOf(drain.each).toEqualTypeOf<readonly { readonly x: Json }[]>();
    },
  });

const YAML = `
name: orders
input:
  type: object
  required: [lines]
  properties:
    lines: { type: array, items: { type: object, required: [sku, qty], properties: { sku: { type: string }, qty: { type: number } } } }
compensation: { order: forward, on: [failure, cancel] }
steps:
  rates:
    uses: orders.rates
    compensate: { uses: log, with: { message: "{{ steps.rates.output.tax }}", late: "{{ run.id }}" }, retry: { maxAttempts: 2 } }
  lines:
    foreach: "{{ input.lines }}"
    maxConcurrency: 10
    tolerate: 10%
    steps:
      price: { uses: orders.lines.price, with: { sku: "{{ item.sku }}", at: "{{ index }}", tax: "{{ steps.rates.output.tax }}" } }
    output: "{{ steps.price.output.total }}"
  drain:
    loop:
      until: "{{ steps.take.output = 0 }}"
      while: "{{ carry.left > 0 }}"
      carry: { left: "{{ steps.take.output }}", first: x }
      maxIterations: 9
      delay: 1s
    with: { left: 3, first: "{{ input.lines[0].sku }}" }
    steps:
      take: { uses: orders.drain.take, with: ["{{ carry.left }}", "{{ round }}", "{{ steps.rates.output.tax }}"] }
      each: { foreach: [1, 2], sequential: true, steps: { x: { uses: transform, with: ["{{ item }}", "{{ carry.left }}"] } } }
  last: { uses: orders.last, with: { lines: "{{ steps.lines.output }}", drain: "{{ steps.drain.output }}" } }
`;

test("S1-5 S1+11 blocks of the builder are those of YAML", async () => {
  const { definition, operators } = orders.build();
  const written = await loadWorkflow(YAML, { operators: null });
  expect(definition).toEqual(written.definition);
  const built = await compileDefinition(definition, { operators: null });
  expect([built.problems, written.problems]).toEqual([[], []]);
  expect(Object.keys(operators)).toEqual(["orders.rates", "orders.lines.price", "orders.drain.take", "orders.last"]);
});

test("what cannot be in a body does not compile", () => {
  const builder = workflow("w").step("a", { run: () => 1 });
  builder.foreach("b", { items: () => ["x"] }, (body) =>
    body
      // @ts-expect-error a need names a step of the same body
      .step("c", { uses: "t", needs: ["a"] })
      .step("d", { with: ($) => $.item, run: (item) => item.toUpperCase() }),
  );
  // @ts-expect-error a foreach carries nothing
  builder.foreach("b", { items: () => [1] }, (body) => body.step("c", { uses: "t", with: ($) => $.carry }));
  builder.loop("b", { with: () => ({ left: 1 }), maxIterations: 2 }, (body) =>
    // @ts-expect-error what is carried keeps its type
    body.step("a", { run: () => "text" }).carry(($) => ({ left: $.steps.a.output })),
  );
  // @ts-expect-error outside, the steps of a body are not known
  builder.foreach("b", { items: () => [1] }, (body) => body.step("c", { uses: "t" })).output(($) => $.steps.c.output);
  expect(Object.keys(builder.build().definition)).toEqual(["name", "steps"]);
});
