import { type ChildProcessByStdio, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { comparable } from "./pages.ts";

const END = "end of the block:";

/** A shell that stays open, in a process group of its own like one behind a real terminal. */
export class Terminal implements Disposable {
  readonly #shell: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #folder: string;
  readonly #name: string;
  readonly #signal: AbortSignal;
  readonly #said = new EventEmitter();
  #output = "";
  #errors = "";
  #blocks = 0;
  /** Up to here the page has shown what the terminal printed. */
  #seen = 0;
  #isBusy = false;

  /** @param signal ends all waiting: commands that wait for what never comes would outlive a test */
  constructor(name: string, folder: string, env: NodeJS.ProcessEnv, signal: AbortSignal) {
    this.#name = name;
    this.#signal = signal;
    this.#folder = folder;
    this.#shell = spawn("bash", ["--noprofile", "--norc"], { cwd: folder, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    this.#shell.stdout.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    this.#shell.stderr.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    this.#shell.on("close", () => this.#said.emit("text"));
    // what is in the foreground gets Ctrl-C too, and decides
    this.#shell.stdin.write("trap : INT\n");
  }

  /** Types commands and waits for their end; resolves with what they printed. */
  async run(source: string): Promise<string> {
    await this.#idle();
    this.#type(`set -e -o pipefail\n${source}set +e +o pipefail\n`);
    await this.#idle();
    if (this.#errors !== "") throw this.#failure("printed an error");
    return this.#unseen();
  }

  /** Types commands of which the last one stays in the foreground. */
  async leave(source: string): Promise<void> {
    await this.#idle();
    this.#type(source);
  }

  /** Resolves when it has printed these lines, others between them, in whatever order: what happens at the same moment has none. */
  async shows(text: string): Promise<void> {
    const expected = text.trimEnd().split("\n").map(likeAnywhere);
    for (let missing = this.#missing(expected); missing !== undefined; missing = this.#missing(expected))
      await this.#next(`without showing ${missing}`);
  }

  interrupt(): void {
    if (this.#shell.pid !== undefined) process.kill(-this.#shell.pid, "SIGINT");
  }

  [Symbol.dispose](): void {
    try {
      if (this.#shell.pid !== undefined) process.kill(-this.#shell.pid, "SIGKILL");
    } catch {
      // all of them have ended
    }
  }

  #hear(text: string): void {
    this.#output += text;
    if (this.#output.includes(this.#mark())) this.#isBusy = false;
    this.#said.emit("text");
  }

  #mark(): string {
    return `${END} ${this.#blocks}\n`;
  }

  #type(source: string): void {
    this.#blocks++;
    this.#isBusy = true;
    const file = `.${this.#name}-${this.#blocks}.sh`.replaceAll(" ", "-");
    writeFileSync(join(this.#folder, file), source);
    this.#shell.stdin.write(`. './${file}' < /dev/null\nprintf '%s\\n' '${END} ${this.#blocks}'\n`);
  }

  async #idle(): Promise<void> {
    while (this.#isBusy) await this.#next("in the middle of a block");
  }

  async #next(how: string): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) throw this.#failure(`ended ${how}`);
    try {
      await once(this.#said, "text", { signal: this.#signal });
    } catch {
      throw this.#failure(`was given up ${how}`);
    }
  }

  #unseen(): string {
    const text = this.#output.slice(this.#seen).replaceAll(new RegExp(`${END} \\d+\\n`, "g"), "");
    this.#seen = this.#output.length;
    return text;
  }

  /** The first line that is not there; undefined: all are, and count as seen. */
  #missing(expected: readonly string[]): string | undefined {
    const printed = this.#output.slice(this.#seen).split("\n").slice(0, -1);
    const lines = printed.map(likeAnywhere);
    let seen = 0;
    for (const line of expected) {
      const at = lines.indexOf(line);
      if (at < 0) return line;
      lines[at] = "";
      seen = Math.max(seen, at + 1);
    }
    this.#seen += printed.slice(0, seen).join("\n").length + 1;
    return undefined;
  }

  #failure(what: string): Error {
    return new Error(`${this.#name} ${what}:\n${this.#output}\n${this.#errors}`);
  }
}

/** Takes out what differs from machine to machine as well. */
export function likeAnywhere(output: string): string {
  return comparable(output)
    .replaceAll(/postgres:\/\/[^\s,]+/g, "LEDGER")
    .replaceAll(/[\w.-]+:\d+(?= is ready|, process )/g, "NAME")
    .replaceAll(/process \d+ on [\w.-]+/g, "PROCESS")
    .replaceAll(/epoch \d+/g, "EPOCH");
}
