import { beforeEach, expect, test, vi } from "vitest";

// JSONata is loaded once in a module's life; every definition here meets modules in which it has not been.
beforeEach(() => {
  vi.resetModules();
});

const key = "{{ $uppercase(input.customer) }}";

test.each([
  { priority: "{{ $uppercase(input.urgency) }}" },
  { concurrency: { limit: 1, key } },
  { rateLimit: { limit: 1, per: "1s", key } },
  { singleton: { key } },
  { debounce: { delay: "1s", key } },
  { batch: { size: 2, timeout: "1s", key } },
])("an expression that needs JSONata may be the only one of a definition: %j", async (fields) => {
  const { compileDefinition } = await import("../index.ts");
  const { problems } = await compileDefinition({ name: "t", ...fields, steps: { a: { uses: "t" } } }, { operators: null });
  expect(problems).toEqual([]);
});
