import { type RunningProcess, Workspace } from "../../fixtures/cli-process.ts";
import { type PostgresProxy, startProxy } from "../../fixtures/postgres/proxy.ts";
import { PRESENT, type Version } from "./versions.ts";
import { WallClock } from "./wall-clock.ts";

/** The least that a worker may have. */
export const LEASE_MS = 1_000;

/** What a worker may end for when nobody told it to. */
const GIVES_UP = ["LEDGER_FENCED", "LEDGER_UNREACHABLE"];

/** A worker of the command line behind a network of its own; another one is started when it has ended, whatever ended it. */
export class WorkerSlot implements AsyncDisposable {
  readonly proxy: PostgresProxy;
  readonly clock: WallClock;
  /** Processes that it has started, and those that ended with 1 because they were fenced, or lost their server for too long. */
  readonly counts = { started: 0, gaveUp: 0 };
  readonly #ledger: string;
  readonly #sink: string;
  readonly #place = new Workspace();
  #version = PRESENT;
  #process: RunningProcess | undefined;
  #isStopping = false;
  #living: Promise<void> = Promise.resolve();

  private constructor(proxy: PostgresProxy, schema: string, sink: string) {
    this.proxy = proxy;
    this.clock = new WallClock(this.#place.folder);
    this.#ledger = `${proxy.url}?schema=${schema}`;
    this.#sink = sink;
  }

  static async open(server: string, schema: string, sink: string): Promise<WorkerSlot> {
    const slot = new WorkerSlot(await startProxy(server), schema, sink);
    slot.#living = slot.#live();
    return slot;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Ends in order, and the next one is of this version. */
  become(version: Version): void {
    this.#version = version;
    this.kill("SIGTERM");
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
    const terms = ["--lease", `${LEASE_MS}ms`, "--grace", "500ms"];
    while (!this.#isStopping) {
      const { bin, operators } = this.#version;
      const args = [bin, "worker", "--ledger", this.#ledger, "--operators", operators, ...terms];
      this.#process = this.#place.spawn(...this.clock.command(process.execPath, args), { CHAOS_SINK: this.#sink });
      this.counts.started += 1;
      const { exitCode, stderr } = await this.#process.ended;
      this.clock.forget(this.#process.pid);
      if (exitCode === 1) this.counts.gaveUp += 1;
      if (exitCode === 2 || (exitCode === 1 && !GIVES_UP.some((code) => stderr.includes(code)))) throw new Error(stderr);
    }
  }
}
