import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Harness, survivingMemory } from "../../src/testing/harness.ts";
import { parseDefinition } from "../../src/workflow/index.ts";

test("S1-32 a colleague is welcomed over several engines: a person, items, an event, a worker, a time and a signal", async () => {
  const text = readFileSync(join(import.meta.dirname, "workflow.yaml"), "utf8");
  const { definition, problems } = parseDefinition(text, { file: "workflow.yaml" });
  if (definition === undefined) throw new Error(JSON.stringify(problems));
  const reopen = survivingMemory();
  const first = new Harness(await reopen());
  const input = { name: "Ada", manager: "grace", equipment: ["laptop"], lookBackAfter: "1ms" };
  const id = await first.start(definition, input);
  await first.event((event) => event.type === "run.suspended");
  expect((await first.stepwell.explain(id)).steps[0]?.says).toContain('waits until grace decides on "Ada joins the team"');
  const tasks = await first.stepwell.tasks();
  const task = (await tasks.list({ run: id })).tasks[0]?.id ?? "";
  await expect(tasks.approve(task, { by: "ada", form: { budget: 9 } })).rejects.toMatchObject({ code: "TASK_FORBIDDEN" });
  await tasks.approve(task, { by: "grace", form: { budget: 1_500 } });
  await first.event((event) => event.type === "step.suspended" && event.step === "contract");
  await first.stepwell.stop();

  const second = new Harness(await reopen());
  await second.stepwell.publish("contract.signed", { name: "Grace", on: "2026-11-30" });
  await second.stepwell.signal(id, "feedback", { text: "settled in" });
  await second.stepwell.publish("contract.signed", { name: "Ada", on: "2026-12-01" });
  await second.event((event) => event.type === "step.suspended" && event.step === "laptop");
  const [work] = await (await second.stepwell.tasks()).poll("stock-room", { worker: "hall-3" });
  expect(work?.payload).toEqual({ for: "Ada", items: ["laptop"], budget: 1_500 });
  await (await second.stepwell.tasks()).complete(work?.id ?? "", work?.token ?? "", { parcel: "P-7" });
  expect(await second.stepwell.result(id)).toMatchObject({
    status: "SUCCEEDED",
    output: { accounts: ["ada@mail", "ada@chat", "ada@wiki"], parcel: "P-7", signed: "2026-12-01", feedback: "settled in" },
  });
  await second.stepwell.stop();
});
