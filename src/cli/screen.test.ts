import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { Workspace } from "../../test/fixtures/cli-process.ts";
import { gate } from "../../test/fixtures/gate.ts";

/** The tool of util-linux that runs a command on a terminal of its own. */
const hasScript = spawnSync("script", ["--version"]).status === 0;

function onTerminal(command: string): readonly string[] {
  return ["--quiet", "--return", "--command", `stty cols 100 rows 20; ${command}`, "/dev/null"];
}

/** Escapes as a character that a pattern may hold. */
function visible(text: string): string {
  return text.replaceAll("\u001b", "␛");
}

test("S0-34 on a terminal the steps are redrawn in place and end as a table; NO_COLOR takes the colours out", async ({ skip }) => {
  if (!hasScript) skip("there is no `script` of util-linux here to give a terminal");
  await using door = await gate();
  const definition = `
name: held
steps:
  before: { uses: log, with: { message: "on the way" } }
  hold: { uses: http, needs: [before], with: { url: "${door.url}" }, timeout: 60s, output: { done: true } }
`;
  using place = new Workspace({ "held.yaml": definition });
  const bin = `'${process.execPath}' '${new URL("./bin.ts", import.meta.url).pathname}' run held.yaml`;
  const running = place.spawn("script", onTerminal(bin), { TERM: "xterm-256color" });
  await running.printed("1 of 2 done, 1 running");
  door.open();
  const { exitCode, stdout } = await running.ended;
  const seen = visible(stdout);
  expect(exitCode).toBe(0);
  expect(seen).toMatch(/info: on the way\r\n/);
  // three lines up, everything below erased, a new picture
  expect(seen).toContain("␛[3F␛[J");
  expect(seen).toMatch(/␛\[36m▸␛\[39m {2}hold +http/);
  const last = seen.slice(seen.lastIndexOf("␛[J"));
  expect(last).toMatch(/✓\S* {2}before {2}log .*\r\n\S*✓\S* {2}hold {4}http .*\r\n\r\n\S*SUCCEEDED/);
  const plain = await place.spawn("script", onTerminal(bin), { TERM: "xterm-256color", NO_COLOR: "1" }).ended;
  expect(plain.stdout).toContain("✓  hold");
  expect(visible(plain.stdout)).not.toMatch(/␛\[\d+m/);
});
