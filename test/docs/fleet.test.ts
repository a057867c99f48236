import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { Workspace } from "../fixtures/cli-process.ts";
import { sharedDatabase } from "../fixtures/postgres/file-database.ts";
import { type Block, blocksOf, readPage } from "./pages.ts";
import { installShim, pageEnvironment } from "./shim.ts";
import { likeAnywhere, Terminal } from "./terminals.ts";

/** What the page says, and a test cannot have. */
const LEDGER = "postgres://stepwell:secret@127.0.0.1:5432/stepwell";
const PORT = "8000";
/** On a machine that is busy with other things; what the terminals show by then is told. */
const DEADLINE_MS = 120_000;

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}

/** Does what a reader of the page would do, in as many terminals as the page has. Resolves with how many blocks it followed. */
async function follow(blocks: readonly Block[], ledger: string, signal: AbortSignal): Promise<number> {
  using place = new Workspace();
  const env = pageEnvironment({ bin: installShim(place), environment: { STEPWELL_LEDGER: "" } });
  using terminals = new DisposableStack();
  const opened = new Map<string, Terminal>();
  const terminal = (name: string): Terminal => {
    const known = opened.get(name) ?? terminals.use(new Terminal(name, place.folder, env, signal));
    opened.set(name, known);
    return known;
  };
  const port = await freePort();
  const outputs = new Map<string, string>();
  let followed = 0;
  for (const { language, mark, text } of blocks) {
    const [, name = "", stays] = /^(terminal \d)( stays)?$/.exec(mark) ?? [];
    const source = text.replaceAll(LEDGER, ledger).replaceAll(PORT, port);
    followed++;
    if (/^[\w-]+\.\w+$/.test(mark)) place.write(mark, text);
    else if (name === "") followed--;
    else if (language === "sh" && stays !== undefined) await terminal(name).leave(source);
    else if (language === "sh") {
      expect(outputs.get(name)?.trim() ?? "").toBe("");
      outputs.set(name, await terminal(name).run(source));
    } else if (language === "keys") terminal(name).interrupt();
    else {
      const output = outputs.get(name);
      outputs.delete(name);
      if (output === undefined) await terminal(name).shows(text);
      else expect(likeAnywhere(output)).toBe(likeAnywhere(text));
    }
  }
  expect([...outputs].filter(([, output]) => output.trim() !== "")).toStrictEqual([]);
  return followed;
}

const page = (...lines: readonly string[]): readonly Block[] => blocksOf(lines.join("\n"));

describe("docs/guide/laptop-to-fleet.md", () => {
  const database = sharedDatabase();

  test("what it shows is what happens", { timeout: 2 * DEADLINE_MS }, async ({ signal, skip }) => {
    if (spawnSync("curl", ["--version"]).status !== 0) skip("the page asks the server with curl (apt-get install curl)");
    expect(
      await follow(
        readPage("docs/guide/laptop-to-fleet.md"),
        await database(),
        AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
      ),
    ).toBe(41);
  });

  test("its commands are not executed where they are for Docker alone, and nothing else is left out", () => {
    const left = readPage("docs/guide/laptop-to-fleet.md").filter(({ mark }) => mark === "");
    expect(left.map(({ text }) => text.split(" ", 1)[0])).toStrictEqual(["docker"]);
  });
});

describe("a page that says something else is found out", () => {
  test.each([
    ["another output", page("```sh terminal 1", "echo one", "```", "```text terminal 1", "two", "```"), "one"],
    ["a command that fails", page("```sh terminal 1", "false", "true", "```"), "ended"],
    [
      "a line that does not come",
      page("```sh terminal 2 stays", "echo one", "exit 0", "```", "```text terminal 2", "two", "```"),
      "without showing two",
    ],
    ["an output that it does not show", page("```sh terminal 1", "echo one", "```", "```sh terminal 1", "true", "```"), "one"],
  ])("%s", async (_what, blocks, message) => {
    await expect(follow(blocks, "", AbortSignal.timeout(30_000))).rejects.toThrow(message);
  });

  test("what stays is interrupted, and its terminal goes on", async ({ signal }) => {
    const blocks = page(
      ...[
        "```sh terminal 1 stays",
        "bash -c 'trap \"echo interrupted; exit\" INT; echo ready; while :; do sleep 0.05; done'",
        "```",
        "```text terminal 1",
        "ready",
        "```",
      ],
      ...["```keys terminal 1", "Ctrl-C", "```", "```text terminal 1", "interrupted", "```"],
      ...["```sh terminal 1", "echo again", "```", "```text terminal 1", "again", "```"],
    );
    expect(await follow(blocks, "", signal)).toBe(6);
  });

  test("what never comes is given up, and its commands with it", async () => {
    const giveUp = new AbortController();
    const blocks = page("```sh terminal 1", "until false; do sleep 0.1; done", "```");
    const followed = follow(blocks, "", giveUp.signal);
    giveUp.abort();
    await expect(followed).rejects.toThrow("given up in the middle of a block");
  });
});
