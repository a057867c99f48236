import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** A Node process that says what it does in lines of JSON and takes words on its standard input. */
export class LineProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #said: string[] = [];
  readonly #closed: Promise<unknown>;
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(module: URL, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [fileURLToPath(module), ...args], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...environment },
    });
    // a word to a process that has just been killed is lost, which is no error
    this.#child.stdin.on("error", () => undefined);
    const lines = createInterface({ input: this.#child.stdout });
    lines.on("line", (line) => {
      this.#said.push(line);
      this.#wake();
    });
    this.#closed = once(this.#child, "close").then(() => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** Everything that it has said so far. */
  get lines(): readonly string[] {
    return this.#said;
  }

  /** The first line that begins with `word`, past or coming; undefined when the process ends without it. */
  async line(word: string): Promise<string | undefined> {
    for (;;) {
      const found = this.#said.find((line) => line.startsWith(word));
      if (found !== undefined || this.#isClosed) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The rest of the line that begins with `word`. */
  async told(word: string): Promise<string> {
    const line = await this.line(`${word} `);
    if (line === undefined) throw new Error(`the process ended before it said "${word}": ${this.#said.join(" | ")}`);
    return line.slice(word.length + 1);
  }

  tell(word: string): void {
    this.#child.stdin.write(`${word}\n`);
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.#child.kill(signal);
  }

  /** Resolves with the exit code, null after a kill. */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.#child.exitCode;
  }
}
