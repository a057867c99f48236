import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Crash } from "./crash-points.ts";
import { Said } from "./protocol.ts";
import { type Command, type Task, writeCommand, writeTask } from "./words.ts";

const MODULE = fileURLToPath(new URL("engine-process.ts", import.meta.url));

/** An engine's process as its parent sees it. */
export class EngineProcess {
  /** Where it killed itself. */
  crash: Crash | undefined;
  /** How often it passed each side of each point, as far as it could say. */
  counts: Readonly<Record<string, number>> = {};
  isOpen = false;
  hasStopped = false;
  hasEnded = false;
  exitCode: number | null = null;
  /** Told of everything that it says but for the above, and of its end. */
  onSaid: (said: Said | undefined) => void = () => undefined;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #closed: Promise<void>;

  constructor(compileCache: string) {
    this.#child = spawn(process.execPath, [MODULE], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache, NODE_OPTIONS: "" },
    });
    // a word to a process that has just died is lost, which is no error
    this.#child.stdin.on("error", () => undefined);
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#hear(Said.parse(JSON.parse(line))));
    this.#closed = once(this.#child, "close").then(() => {
      this.hasEnded = true;
      this.isOpen = false;
      this.exitCode = this.#child.exitCode;
      this.onSaid(undefined);
    });
  }

  begin(task: Task): void {
    this.#child.stdin.write(`${writeTask(task)}\n`);
  }

  ask(command: Command): void {
    this.#child.stdin.write(`${writeCommand(command)}\n`);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async ended(): Promise<void> {
    await this.#closed;
  }

  #hear(said: Said): void {
    if (said.say === "open") this.isOpen = true;
    if (said.say === "crash") this.crash = said.crash;
    if (said.say === "stopped") this.hasStopped = true;
    if (said.say === "crash" || said.say === "stopped") this.counts = said.counts;
    this.onSaid(said);
  }
}

/** Keeps one process ready that has loaded everything, so that an engine is there at once when another one has died. */
export class WarmEngines implements AsyncDisposable {
  readonly #compileCache: string;
  #spare: EngineProcess;

  constructor(compileCache: string) {
    this.#compileCache = compileCache;
    this.#spare = new EngineProcess(compileCache);
  }

  take(): EngineProcess {
    const taken = this.#spare;
    this.#spare = new EngineProcess(this.#compileCache);
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#spare.kill();
    await this.#spare.ended();
  }
}
