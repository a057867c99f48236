import { describe, expect, expectTypeOf, test } from "vitest";
import { compileDefinition, expression, parseDefinition, text, workflow } from "./index.ts";

const input = {
  type: "object",
  required: ["customer", "units"],
  properties: { customer: { type: "string" }, units: { type: "integer" } },
} as const;

describe("flow control in the builder", () => {
  test("S1-5 S1-13 gives the same definition as YAML", async () => {
    const { definition } = workflow("usage", {
      input,
      vars: { shop: "s" },
      topic: "gpu",
      priority: ($) => expression`${$.input.units} > 100 ? '5m' : '0s'`,
      concurrency: [{ limit: 4 }, { key: ($) => $.input.customer, limit: 1, onLimit: "cancel-running" }],
      rateLimit: { limit: 100, per: "1m", key: ($) => text`${$.vars.shop}/${$.run.tenant}`, onLimit: "reject" },
      singleton: { key: "{{ input.customer & input.units }}", onConflict: "cancel-running" },
      debounce: { key: ($) => $.input.customer, delay: "10s", maxDelay: 60_000 },
    })
      .step("a", { uses: "t", topic: "cpu" })
      .build();
    const written = parseDefinition(`
name: usage
input: ${JSON.stringify(input)}
vars: { shop: s }
topic: gpu
priority: "{{ input.units > 100 ? '5m' : '0s' }}"
concurrency: [{ limit: 4 }, { key: "{{ input.customer }}", limit: 1, onLimit: cancel-running }]
rateLimit: { limit: 100, per: 1m, key: "{{ vars.shop }}/{{ run.tenant }}", onLimit: reject }
singleton: { key: "{{ input.customer & input.units }}", onConflict: cancel-running }
debounce: { key: "{{ input.customer }}", delay: 10s, maxDelay: 60000 }
steps: { a: { uses: t, topic: cpu } }
`);
    expect(definition).toEqual(written.definition);
    const { problems, graph } = await compileDefinition(definition, { operators: null });
    expect([problems.filter(({ severity }) => severity === "error"), graph?.flow.limits.length]).toEqual([[], 4]);
  });

  test("short forms stay short", () => {
    const short = workflow("w", { concurrency: 4, singleton: true, priority: "-5m", rateLimit: [{ limit: 1, per: 5 }] });
    expect(short.build().definition).toEqual({
      name: "w",
      concurrency: 4,
      singleton: true,
      priority: "-5m",
      rateLimit: [{ limit: 1, per: 5 }],
      steps: {},
    });
  });

  test("steps of a batch see its items, its key the input of one start", () => {
    const { definition } = workflow("w", { input, batch: { key: ($) => $.input.customer, size: 10, timeout: "5s" } })
      .step("total", {
        with: ($) => ({ items: $.input.items, first: $.input.items[0]?.customer }),
        run: ({ items, first }) => {
          expectTypeOf(items[0]?.units).toEqualTypeOf<number | undefined>();
          expectTypeOf(first).toEqualTypeOf<string | undefined>();
          return items.length;
        },
      })
      .foreach("each", { items: ($) => $.input.items }, (body) =>
        body.step("one", { with: ($) => $.item.units, run: (units) => units + 1 }),
      )
      .build();
    expect(definition["batch"]).toEqual({ key: "{{ input.customer }}", size: 10, timeout: "5s" });
    expect(definition["steps"]).toMatchObject({
      total: { with: { items: "{{ input.items }}", first: "{{ input.items[0].customer }}" } },
      each: { foreach: "{{ input.items }}" },
    });
    const loose = workflow("w", { batch: { size: 10, timeout: "5s" } }).step("a", { uses: "t", with: ($) => $.input.items[0]?.["any"] });
    expect(loose.build().definition["steps"]).toEqual({ a: { uses: "t", with: "{{ input.items[0].any }}" } });
  });

  test("what is misspelt or not known at the start does not compile", () => {
    workflow("w", {
      input,
      // @ts-expect-error there is no such input
      priority: ($) => $.input.custmer,
      // @ts-expect-error no step has run
      singleton: { key: ($) => $.steps },
      // @ts-expect-error a run has no id yet
      concurrency: { limit: 1, key: ($) => $.run.id },
      // @ts-expect-error a rate cancels nothing
      rateLimit: { limit: 1, per: "1m", onLimit: "cancel-running" },
      // @ts-expect-error a delay is missing
      debounce: { maxDelay: "1m" },
    });
    // @ts-expect-error a timeout is missing
    workflow("w", { batch: { size: 10 } });
    // @ts-expect-error a number would be read as milliseconds by one and as seconds by another
    workflow("w", { priority: 600 });
    workflow("w", { input, batch: { size: 10, timeout: "5s" } })
      // @ts-expect-error the input of a batch has items
      .step("a", { uses: "t", with: ($) => $.input.customer });
    const switches = workflow("w").switch("s", { cases: () => [] });
    // @ts-expect-error a switch runs nowhere
    switches.switch("r", { cases: () => [], topic: "gpu" });
    expect(switches.build().definition["steps"]).toEqual({ s: { switch: [] } });
  });
});
