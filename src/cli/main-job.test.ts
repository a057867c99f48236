import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { repositoryRoot } from "../../scripts/tool.ts";
import { Workspace } from "../../test/fixtures/cli-process.ts";

const MAIN = join(repositoryRoot, "examples", "orders", "main.ts");
const call = z.object({ endpoint: z.string(), key: z.string(), effect: z.boolean() });

function effects(place: Workspace): readonly string[] {
  const lines = readFileSync(join(place.folder, ".stepwell", "shop-journal.jsonl"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => call.parse(JSON.parse(line))).flatMap(({ endpoint, key, effect }) => (effect ? [`${endpoint} ${key}`] : []));
}

test("S0-1 the main job, killed in the middle, goes on with the same run; nothing takes effect twice", async () => {
  using place = new Workspace();
  const first = place.spawn(process.execPath, [MAIN]);
  await first.printed("capture   started");
  first.kill("SIGKILL");
  const killed = await first.ended;
  const second = await place.spawn(process.execPath, [MAIN]).ended;
  expect(second.stderr).toBe("");
  expect(second.exitCode).toBe(0);
  expect(second.stdout).toContain('headline: "12 orders: 9 shipped for EUR 4,526.41, 3 held"');
  const [id = "none"] = /[0-9a-f-]{36}/.exec(killed.stdout) ?? [];
  expect(second.stdout).toContain(`Going on with run ${id}`);
  expect(second.stdout).toContain(`runs show ${id.slice(0, 13)}`);
  for (const step of ["price", "stock", "triage"]) expect(second.stdout).not.toMatch(new RegExp(`${step} +started`));
  const taken = effects(place);
  expect(taken).toHaveLength(5);
  expect(new Set(taken).size).toBe(5);
});
