import { describe, expect, test } from "vitest";
import { operatorContext } from "../../test/fixtures/operator-context.ts";
import { OperatorRegistry } from "./operators.ts";

const CONTEXT = operatorContext();
const builtIn = (): string => "built in";

function registryWith(load: () => Promise<typeof builtIn>): OperatorRegistry {
  const registry = new OperatorRegistry();
  registry.registerLazy("say", load);
  return registry;
}

describe("a built-in operator", () => {
  test("is loaded with the first step that calls it, and called itself from then on", async () => {
    let loads = 0;
    const registry = registryWith(async () => {
      loads += 1;
      return builtIn;
    });
    expect(loads).toBe(0);
    const first = registry.get("say")?.execute;
    expect(await Promise.all([first?.({}, CONTEXT), first?.({}, CONTEXT)])).toEqual(["built in", "built in"]);
    expect(loads).toBe(1);
    expect(registry.get("say")?.execute({}, CONTEXT)).toBe("built in");
  });

  test("does not come back over one that took its name while it was being loaded", async () => {
    const loaded = Promise.withResolvers<typeof builtIn>();
    const registry = registryWith(() => loaded.promise);
    const called = registry.get("say")?.execute({}, CONTEXT);
    registry.register("say", () => "own");
    loaded.resolve(builtIn);
    expect(await called).toBe("built in");
    expect(registry.get("say")?.execute({}, CONTEXT)).toBe("own");
  });
});
