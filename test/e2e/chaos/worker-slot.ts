import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type RunningProcess, Workspace } from "../../fixtures/cli-process.ts";
import { type PostgresProxy, startProxy } from "../../fixtures/postgres/proxy.ts";

const OPERATORS = fileURLToPath(new URL("operators.ts", import.meta.url));
/** Where packages of the usual systems have it. */
const FAKETIME = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
  "/usr/lib64/faketime/libfaketime.so.1",
].find((file) => existsSync(file));

/** Why the wall clock of a worker cannot be set; undefined when it can. */
export const NO_CLOCK_JUMPS = FAKETIME === undefined ? "libfaketime is not installed" : undefined;

/** The least that a worker may have. */
export const LEASE_MS = 1_000;

/** A worker of the command line behind a network of its own; another one is started when it has ended, whatever ended it. */
export class WorkerSlot implements AsyncDisposable {
  readonly proxy: PostgresProxy;
  /** Processes that it has started, and those that ended with 1 because they were fenced, or lost their server for too long. */
  readonly counts = { started: 0, gaveUp: 0 };
  readonly #ledger: string;
  readonly #sink: string;
  readonly #place = new Workspace();
  readonly #clockFile: string;
  #process: RunningProcess | undefined;
  #isStopping = false;
  #living: Promise<void> = Promise.resolve();

  private constructor(proxy: PostgresProxy, schema: string, sink: string) {
    this.proxy = proxy;
    this.#ledger = `${proxy.url}?schema=${schema}`;
    this.#sink = sink;
    this.#clockFile = join(this.#place.folder, "clock");
  }

  static async open(server: string, schema: string, sink: string): Promise<WorkerSlot> {
    const slot = new WorkerSlot(await startProxy(server), schema, sink);
    slot.setClock(0);
    slot.#living = slot.#live();
    return slot;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** The wall clock of its processes differs by so much from now on; their timers go on as before. */
  setClock(seconds: number): void {
    writeFileSync(this.#clockFile, `${seconds < 0 ? "" : "+"}${seconds}`);
  }

  /** Ends in order, and no other one is started. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.kill("SIGTERM");
    await this.#living;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    this.kill("SIGKILL");
    await this.#living;
    await this.proxy[Symbol.asyncDispose]();
    this.#place[Symbol.dispose]();
  }

  async #live(): Promise<void> {
    while (!this.#isStopping) {
      const args = ["worker", "--ledger", this.#ledger, "--operators", OPERATORS, "--lease", `${LEASE_MS}ms`, "--grace", "500ms"];
      this.#process = this.#place.start(args, { CHAOS_SINK: this.#sink, ...this.#clock() });
      this.counts.started += 1;
      const { exitCode, stderr } = await this.#process.ended;
      if (exitCode === 1) this.counts.gaveUp += 1;
      if (exitCode === 2) throw new Error(stderr);
    }
  }

  #clock(): NodeJS.ProcessEnv {
    if (FAKETIME === undefined) return {};
    const rules = { FAKETIME_TIMESTAMP_FILE: this.#clockFile, FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" };
    return { LD_PRELOAD: FAKETIME, ...rules };
  }
}
