import { describe, expect, expectTypeOf, test } from "vitest";
import type { Json } from "../model/json.ts";
import type { OperatorContext } from "../operators/operator.ts";
import type { Graph } from "./graph.ts";
import { compileDefinition, expression, type Held, loadWorkflow, orElse, parseDefinition, text, workflow } from "./index.ts";

const order = workflow("order", {
  version: "1",
  input: {
    type: "object",
    required: ["orderId"],
    properties: {
      orderId: { type: "string" },
      tags: { type: "array", items: { type: "string" } },
      kind: { enum: ["a", "b"] },
      note: { type: ["string", "null"] },
    },
  },
  vars: { shop: "http://127.0.0.1:4010" },
  defaults: { timeout: "10s" },
})
  .step("fetch", {
    uses: "http",
    with: ($) => ({ method: "GET", url: text`${$.vars.shop}/orders/${$.input.orderId}` }),
    retry: { strategy: "exponential", maxAttempts: 5 },
    output: ($) => $.result["body"],
  })
  .step("risk", {
    with: ($) => ({ order: $.steps.fetch.output, id: $.input.orderId, limit: 0.7 }),
    run: async (input, context) => {
      expectTypeOf(input).toEqualTypeOf<{ readonly order: Json; readonly id: string; readonly limit: number }>();
      expectTypeOf(context).toEqualTypeOf<OperatorContext>();
      return { score: input.limit, id: input.id };
    },
  })
  .switch("route", {
    mode: "exclusive",
    cases: ($) => [{ when: expression`${$.steps.risk.output.score} > ${0.7}`, then: ["review"] }],
    otherwise: ["auto"],
  })
  .step("review", { with: ($) => $.steps.risk.output.id, run: (id) => ({ by: id.toUpperCase() }) })
  .step("auto", { uses: "transform", with: () => ({ approved: true }) })
  .step("ship", {
    needs: ["review", "auto"],
    with: ($) => ({ by: orElse($.steps.review.output.by, "auto") }),
    when: ($) => expression`${$.steps.route.output.selected[0]} != "x"`,
    join: "settled",
    run: ({ by }) => {
      expectTypeOf(by).toEqualTypeOf<string>();
      return { shipped: by.length };
    },
  })
  .output(($) => {
    expectTypeOf($.steps.ship.output.shipped).toEqualTypeOf<typeof $.steps.risk.output.score>();
    return { shipped: $.steps.ship.output.shipped, tag: $.input.tags[0] };
  });

const YAML = `
name: order
version: "1"
input:
  type: object
  required: [orderId]
  properties: { orderId: { type: string }, tags: { type: array, items: { type: string } }, kind: { enum: [a, b] }, note: { type: [string, "null"] } }
vars: { shop: "http://127.0.0.1:4010" }
defaults: { timeout: 10s }
steps:
  fetch:
    uses: http
    with: { method: GET, url: "{{ vars.shop }}/orders/{{ input.orderId }}" }
    retry: { strategy: exponential, maxAttempts: 5 }
    output: "{{ result.body }}"
  risk: { uses: order.risk, with: { order: "{{ steps.fetch.output }}", id: "{{ input.orderId }}", limit: 0.7 } }
  route:
    mode: exclusive
    switch:
      - { when: "{{ steps.risk.output.score > 0.7 }}", then: [review] }
      - { otherwise: [auto] }
  review: { uses: order.review, with: "{{ steps.risk.output.id }}" }
  auto: { uses: transform, with: { approved: true } }
  ship:
    uses: order.ship
    needs: [review, auto]
    with: { by: '{{ steps.review.output.by ?? "auto" }}' }
    when: '{{ steps.route.output.selected[0] != "x" }}'
    join: settled
output: { shipped: "{{ steps.ship.output.shipped }}", tag: "{{ input.tags[0] }}" }
`;

/** A graph without the functions of its templates. */
const comparable = (graph: Graph | undefined): Json => JSON.parse(JSON.stringify(graph));

describe("the builder and YAML", () => {
  test("S1-5 S1-13 give the same definition and the same graph", async () => {
    const { definition } = order.build();
    expect(definition).toEqual(parseDefinition(YAML).definition);
    const [built, written] = [await compileDefinition(definition, { operators: null }), await loadWorkflow(YAML, { operators: null })];
    expect([built.problems, written.problems]).toEqual([[], []]);
    expect(comparable(built.graph)).toEqual(comparable(written.graph));
    expect(built.graph?.edges).toHaveLength(8);
  });

  test("S1-5 functions become operators named after workflow and step", () => {
    const { operators } = order.build();
    expect(Object.keys(operators)).toEqual(["order.risk", "order.review", "order.ship"]);
    expect(workflow("w").step("a", { uses: "t" }).build()).toEqual({
      definition: { name: "w", steps: { a: { uses: "t" } } },
      operators: {},
    });
  });

  test("a stem can grow into two workflows", () => {
    const stem = workflow("w").step("a", { uses: "t" });
    const [left, right] = [stem.step("left", { uses: "t" }), stem.output(($) => $.steps.a.output)];
    expect(left.build().definition).toEqual({ name: "w", steps: { a: { uses: "t" }, left: { uses: "t" } } });
    expect(right.build().definition).toEqual({ name: "w", steps: { a: { uses: "t" } }, output: "{{ steps.a.output }}" });
  });

  test("every field of a step has its place", async () => {
    const { definition } = workflow("w", { labels: { a: "b" }, env: { X: "y" }, secrets: { S: { env: "S" } }, onFailure: "stop" })
      .step("a", {
        uses: "t",
        description: "d",
        when: "input.x",
        onError: "skip",
        delivery: "at-most-once",
        isolation: "thread",
        timeout: 5,
      })
      .step("b", {
        uses: "t",
        needs: ["a"],
        when: true,
        with: ($) => ({ token: { secret: "S" }, list: [$.env.X, { n: 1 }], none: undefined }),
        fallback: ($) => ({ x: $.steps.a.status, e: $.steps.a.error["code"] }),
        idempotencyKey: ($) => $.run["id"],
        schema: { type: "object" },
        extract: true,
      })
      .switch("c", { cases: () => [{ when: "input.x", then: "b" }] })
      .build();
    expect(definition).toEqual({
      name: "w",
      labels: { a: "b" },
      env: { X: "y" },
      secrets: { S: { env: "S" } },
      onFailure: "stop",
      steps: {
        a: { uses: "t", description: "d", when: "input.x", onError: "skip", delivery: "at-most-once", isolation: "thread", timeout: 5 },
        b: {
          uses: "t",
          needs: ["a"],
          when: true,
          with: { token: { secret: "S" }, list: ["{{ env.X }}", { n: 1 }] },
          fallback: { x: "{{ steps.a.status }}", e: "{{ steps.a.error.code }}" },
          idempotencyKey: "{{ run.id }}",
          schema: { type: "object" },
          extract: true,
        },
        c: { switch: [{ when: "input.x", then: "b" }] },
      },
    });
  });
});

describe("references", () => {
  const pathOf = (use: ($: { readonly [name: string]: Held<Json> & Any }) => unknown) =>
    workflow("w")
      .step("a", { uses: "t", with: ($) => use({ x: $.run }) })
      .build().definition["steps"];
  interface Any {
    readonly [name: string]: Held<Json> & Any;
  }

  test("names that are not plain are quoted, numbers are places", () => {
    expect(pathOf(($) => $["x"]?.["content-type"]?.["0"]?.["and"]?.["$x"])).toEqual({
      a: { uses: "t", with: "{{ run.`content-type`[0].`and`.`$x` }}" },
    });
    expect(() => pathOf(($) => $["x"]?.["a`b"])).toThrow(TypeError);
  });

  test("a reference written into a text is an interpolation", () => {
    expect(pathOf(($) => String.raw({ raw: ["id ", "!"] }, $["x"]?.["id"]))).toEqual({ a: { uses: "t", with: "id {{ run.id }}!" } });
  });

  test("values in an expression are literals and cannot leave their quotes", async () => {
    const hostile = 'a" & $eval("1") & "{{ }} }}\\';
    const { definition } = workflow("w")
      .step("a", { uses: "t", with: () => expression`${hostile} & ${{ n: [1, null], o: { p: { q: {} } } }}.n[0]` })
      .build();
    const { graph, problems } = await compileDefinition(definition, { operators: null });
    expect(problems).toEqual([]);
    const value = await graph?.steps[0]?.with?.evaluate({}, { nowMs: 0, seed: "" });
    expect(value).toBe(`${hostile}1`);
  });

  test("an expression has no members, and values must be JSON", () => {
    const held: object = expression`1 + 1`;
    expect(() => Reflect.get(held, "x")).toThrow(TypeError);
    expect(Reflect.get(held, Symbol.iterator)).toBeUndefined();
    expect(() => expression`${Number.NaN}`).toThrow(expect.objectContaining({ code: "VALUE_NOT_JSON" }));
    expect(() =>
      workflow("w")
        .step("a", { uses: "t", with: () => ({ f: () => 1 }) })
        .build(),
    ).toThrow("steps.a.with.f is a function");
  });
});

describe("types", () => {
  test("what is misspelt, taken or of another type does not compile", () => {
    const builder = workflow("w", { input: { type: "object", required: ["a"], properties: { a: { type: "integer" } } } }).step("one", {
      run: () => 1,
    });
    // @ts-expect-error a need names an earlier step
    builder.step("two", { uses: "t", needs: ["three"] });
    // @ts-expect-error the id is taken
    builder.step("one", { uses: "t" });
    // @ts-expect-error there is no such input
    builder.step("two", { uses: "t", with: ($) => $.input.b });
    // @ts-expect-error a number has no such method
    builder.step("two", { with: ($) => $.steps.one.output, run: (n) => n.toUpperCase() });
    // @ts-expect-error a function runs in this module's thread
    builder.step("two", { run: () => 1, isolation: "thread" });
    expect(Object.keys(builder.build().definition)).toEqual(["name", "input", "steps"]);
  });

  test("the type of an output is that of its schema, its mapping or its function", () => {
    workflow("w")
      .step("schema", {
        uses: "t",
        schema: { type: "object", required: ["id"], properties: { id: { type: "integer" }, tag: { const: "x" }, any: {} } },
      })
      .step("mapped", { run: () => ({ a: { b: "text" } }), output: ($) => ({ c: $.result.a.b, d: 1 }) })
      .step("loose", { uses: "t" })
      .step("last", {
        with: ($) => [$.steps.schema.output, $.steps.mapped.output, $.steps.loose.output] as const,
        run: ([schema, mapped, loose]) => {
          expectTypeOf(schema.id).toEqualTypeOf<number>();
          expectTypeOf(schema.tag).toEqualTypeOf<"x" | undefined>();
          expectTypeOf(schema.any).toEqualTypeOf<Json | undefined>();
          expectTypeOf(mapped).toEqualTypeOf<{ readonly c: string; readonly d: number }>();
          expectTypeOf(loose).toEqualTypeOf<Json>();
        },
      });
    const input = workflow("w", { input: { type: "object" } });
    expect(input.build().definition).toEqual({ name: "w", input: { type: "object" }, steps: {} });
  });
});
