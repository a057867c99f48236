import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { operatorContext } from "../../test/fixtures/operator-context.ts";
import { builtInDefinitions, catalogOf } from "./definitions.ts";
import { createBuiltInExecutors } from "./executors.ts";

test("every built-in definition has an executor under its name, and the other way round", async () => {
  const executors = createBuiltInExecutors();
  expect([...executors.operators.keys()].toSorted()).toEqual([...builtInDefinitions.names()].toSorted());
  for (const [name, load] of executors.operators) {
    expect(builtInDefinitions.get(name)?.name).toBe(name);
    expect(await load()).toBeTypeOf("function");
  }
  await executors.close();
});

test("transform returns its input", async () => {
  const transform = await createBuiltInExecutors().operators.get("transform")?.();
  expect(await transform?.({ total: 7 }, operatorContext())).toEqual({ total: 7 });
});

test("one engine has one http client, which closing ends", async () => {
  const executors = createBuiltInExecutors();
  const load = executors.operators.get("http");
  const http = await load?.();
  expect(await load?.()).toBe(http);
  await executors.close();
  await expect(http?.({ url: "http://127.0.0.1:9" }, operatorContext())).rejects.toMatchObject({ data: { cause: "UND_ERR_DESTROYED" } });
});

test("closing executors that were never used loads nothing", async () => {
  await expect(createBuiltInExecutors().close()).resolves.toBeUndefined();
});

test("the HTTP client is not loaded before an http step needs it", () => {
  const script = `
    import { createBuiltInExecutors } from "./src/operators/executors.ts";
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const { operators } = createBuiltInExecutors();
    const has = () => loaded.some((url) => url.includes("undici"));
    await operators.get("transform")();
    const before = has();
    await operators.get("http")();
    console.log(JSON.stringify([before, has()]));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual([false, true]);
});

test("registered functions join the catalog, and one with a built-in's name replaces it", () => {
  const catalog = catalogOf(builtInDefinitions, ["score", "http"]);
  expect(catalog.names()).toEqual(["http", "log", "transform", "sleep", "wait", "approval", "task", "workflow", "score"]);
  expect(catalog.get("score")).toMatchObject({ name: "score", slow: false, check: null });
  expect(catalog.get("http")).toMatchObject({ slow: false, check: null });
  expect(catalog.get("log")).toBe(builtInDefinitions.get("log"));
  expect(catalog.get("absent")).toBeUndefined();
});
