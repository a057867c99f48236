import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { startShop } from "./service.ts";

const QUICK = { port: 0, pace: 0 };
const stateFile = () => join(mkdtempSync(join(tmpdir(), "shop-")), "journal.jsonl");
const ORDER = { id: "SO-1", currency: "EUR", total: 20, deliverTo: "NL", delivery: "standard", lines: [] };

async function post(url: string, path: string, key: string | null, body: unknown) {
  const headers = { "content-type": "application/json", ...(key !== null && { "idempotency-key": key }) };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

test("a key takes effect once: the same answer comes again, and another request under it is refused", async () => {
  await using shop = await startShop(QUICK);
  const first = await post(shop.url, "/fraud/cases", "run-1:openCase", { orders: ["SO-1"] });
  expect(first).toMatchObject({ status: 201, body: { case: "FC-1" } });
  expect(await post(shop.url, "/fraud/cases", "run-1:openCase", { orders: ["SO-1"] })).toEqual(first);
  expect(await post(shop.url, "/fraud/cases", "run-1:openCase", { orders: ["SO-2"] })).toMatchObject({ status: 422 });
  expect(await (await fetch(`${shop.url}/effects`)).json()).toEqual({
    "POST /fraud/cases": { "run-1:openCase": { calls: 3, answered: 2, effects: 1 } },
  });
});

test("two calls at once under one key take effect once", async () => {
  await using shop = await startShop(QUICK);
  const send = () => post(shop.url, "/notifications", "run-1:notify", { shipped: [1], held: [] });
  const answers = await Promise.all([send(), send(), send()]);
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(shop.effects()["POST /notifications"]).toEqual({ "run-1:notify": { calls: 3, answered: 3, effects: 1 } });
});

test("payments are unavailable twice for every key and then captured", async () => {
  await using shop = await startShop(QUICK);
  const send = (key: string) => post(shop.url, "/payments/captures", key, { orders: [ORDER] });
  const statuses = [];
  for (const key of ["a", "a", "a", "b", "b", "b"]) statuses.push((await send(key)).status);
  expect(statuses).toEqual([503, 503, 201, 503, 503, 201]);
});

test("what a person gets wrong is answered, not thrown", async () => {
  await using shop = await startShop(QUICK);
  expect(await post(shop.url, "/fraud/cases", null, {})).toMatchObject({ status: 400 });
  expect(await post(shop.url, "/fraud/cases", "k", { orders: "SO-1" })).toMatchObject({ status: 400 });
  expect(await post(shop.url, "/nowhere", "k", {})).toMatchObject({ status: 404 });
});

test("with a state file, a killed service remembers what took effect", async () => {
  const state = stateFile();
  const start = async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "service.ts"), "--port", "0", "--state", state]);
    const [line]: string[] = await once(createInterface(child.stdout), "line");
    return { child, url: line?.split(" ").at(-1) ?? "" };
  };
  const before = await start();
  const answer = await post(before.url, "/notifications", "run-1:notify", { shipped: [1], held: [] });
  before.child.kill("SIGKILL");
  await once(before.child, "exit");
  appendFileSync(state, '{"at":1,"endpoint":"POST /noti');

  const after = await start();
  expect(await post(after.url, "/notifications", "run-1:notify", { shipped: [1], held: [] })).toEqual(answer);
  after.child.kill("SIGKILL");
  await once(after.child, "exit");
  await using shop = await startShop({ ...QUICK, stateFile: state });
  expect(shop.effects()).toEqual({ "POST /notifications": { "run-1:notify": { calls: 2, answered: 2, effects: 1 } } });
  expect(readFileSync(state, "utf8")).toMatch(/\n$/);
});
