import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { z } from "zod";
import { repositoryRoot } from "../scripts/tool.ts";
import { onEnd, runProgram } from "./processes.ts";

/** An engine that the adapters of the peers' folder know, durable as far as it can be. */
export interface Peer {
  /** As the folder's `run.mjs` calls it: `engine:variant`. */
  readonly name: string;
  readonly server: "postgres" | "redis" | null;
}

const OVER_POSTGRES: readonly Peer[] = [
  { name: "dbos:direct", server: "postgres" },
  { name: "pgboss:notify", server: "postgres" },
  { name: "graphile:local", server: "postgres" },
];

/** Whom ours is measured beside, by what it keeps its own runs in. */
export const PEERS: Readonly<Record<"sqlite" | "postgres", readonly Peer[]>> = {
  sqlite: [
    { name: "openworkflow:sqlite", server: null },
    { name: "restate", server: null },
    { name: "bullmq:step", server: "redis" },
    ...OVER_POSTGRES,
  ],
  postgres: [...OVER_POSTGRES, { name: "openworkflow:pg", server: "postgres" }],
};

/** What `run.mjs` prints; which members are there depends on the work. */
export interface PeerFigures {
  readonly runs_s?: number | undefined;
  readonly steps_s?: number | undefined;
  readonly ms_median?: number | undefined;
  readonly p50_ms?: number | undefined;
  readonly p99_ms?: number | undefined;
}

export interface PeerLoad {
  readonly work: "W1" | "W2" | "W3" | "W4";
  readonly concurrency: number;
  readonly seconds: number;
  readonly repetitions: number;
  readonly pacedRuns: number;
}

const figures = z.object({
  runs_s: z.number().optional(),
  steps_s: z.number().optional(),
  ms_median: z.number().optional(),
  p50_ms: z.number().optional(),
  p99_ms: z.number().optional(),
});
const failure = z.object({ error: z.union([z.string(), z.number()]), err: z.string() });

/** The ports of `servers.sh`; Redis is the one that syncs each write. */
const PORTS = { postgres: 55_432, redis: 56_380 } as const;
/** Whoever comes from this machine is let in. */
export const PEERS_POSTGRES = `postgres://postgres@127.0.0.1:${PORTS.postgres}/postgres`;
/** The driver of PostgreSQL, which several adapters share, lies in this folder. */
const SHARED_FOLDER = "limits";
const INSTALL_TIMEOUT_MS = 300_000;
const MEASUREMENT_TIMEOUT_MS = 150_000;
const LONGEST_WORK_S = 40;
const WAIT_FOR_QUIET_S = 5;

/**
 * The adapters of other engines, copied out of their folder with packages of their own, so that neither that folder nor this
 * repository changes. The copy stays for the next time; servers and their data go.
 */
export class PeerEngines {
  readonly #folder: string;
  readonly #data = join(tmpdir(), "stepwell-bench-peers-data");
  readonly #reachable = new Set<Peer["server"]>([null]);

  /** @throws Error when the folder with the adapters is not there */
  constructor(source: string) {
    if (!existsSync(join(source, "run.mjs")))
      throw new Error(`there are no adapters in ${source}; name their folder in STEPWELL_PEERS_DIR`);
    this.#folder = join(tmpdir(), "stepwell-bench-peers");
    cpSync(source, this.#folder, { recursive: true, filter: (path) => basename(path) !== "node_modules" });
    mkdirSync(this.#data, { recursive: true });
  }

  /** Installs packages and starts servers; resolves with the peers that can be measured, and tells of each other why not. */
  async prepare(peers: readonly Peer[], tell: (message: string) => void): Promise<readonly Peer[]> {
    await this.#startServers();
    const missing = await this.#install(SHARED_FOLDER);
    if (missing !== undefined) tell(`SKIPPED whatever needs PostgreSQL: ${missing}`);
    const ready: Peer[] = [];
    for (const peer of peers) {
      const [folder = ""] = peer.name.split(":");
      const isReachable = this.#reachable.has(peer.server);
      const problem = isReachable ? await this.#install(folder) : `no ${peer.server ?? ""} server, and servers.sh could not start one`;
      if (problem === undefined) ready.push(peer);
      else tell(`SKIPPED ${peer.name}: ${problem}`);
    }
    return ready;
  }

  /** @throws Error with what the adapter said when it gave no figures */
  async measure(peer: Peer, load: PeerLoad): Promise<PeerFigures> {
    const { output, complaint } = await runProgram(
      [process.execPath, join(this.#folder, "run.mjs"), peer.name, load.work, String(load.concurrency)],
      { cwd: this.#folder, env: this.#environment(load), timeoutMs: MEASUREMENT_TIMEOUT_MS },
    );
    const line = output.trim().split("\n").at(-1);
    if (line === undefined || !line.startsWith("{")) throw new Error(complaint.trim().slice(-600) || "no answer in time");
    const answer: unknown = JSON.parse(line);
    const failed = failure.safeParse(answer);
    if (failed.success) throw new Error(`${failed.data.error}: ${failed.data.err.trim().slice(-600)}`);
    return figures.parse(answer);
  }

  #environment(load: PeerLoad): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
      NODE_BIN: process.execPath,
      BENCH_DATA: this.#data,
      BENCH_SECS: String(load.seconds),
      REPS: String(load.repetitions),
      N: String(load.pacedRuns),
      CAP: String(LONGEST_WORK_S),
      QUIET_WAIT: String(WAIT_FOR_QUIET_S),
      REDIS_PORT: String(PORTS.redis),
      TIMEOUT: String(MEASUREMENT_TIMEOUT_MS / 1_000),
    };
  }

  /** Undefined when the packages are there, else why not. */
  async #install(folder: string): Promise<string | undefined> {
    const cwd = join(this.#folder, folder);
    if (existsSync(join(cwd, "node_modules"))) return undefined;
    const npm = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"];
    const { exitCode, output, complaint } = await runProgram(npm, { cwd, timeoutMs: INSTALL_TIMEOUT_MS });
    if (exitCode === 0) return undefined;
    rmSync(join(cwd, "node_modules"), { recursive: true, force: true });
    return `npm install failed: ${(complaint || output).trim().slice(-300)}`;
  }

  /** A server that listens already belongs to somebody else: it is used and left alone. */
  async #startServers(): Promise<void> {
    const servers = ["postgres", "redis"] as const;
    const listening = await Promise.all(servers.map((server) => isListening(PORTS[server])));
    if (!listening.some(Boolean)) {
      onEnd(() => {
        this.#servers("stop");
        rmSync(this.#data, { recursive: true, force: true });
      });
      this.#servers("start");
    }
    for (const server of servers) if (await isListening(PORTS[server])) this.#reachable.add(server);
  }

  #servers(action: "start" | "stop"): void {
    const script = join(this.#folder, "servers.sh");
    spawnSync("bash", [script, action], { env: { ...process.env, BENCH_DATA: this.#data }, stdio: "ignore", timeout: 60_000 });
  }
}

/** The folder that `STEPWELL_PEERS_DIR` names, else the one beside the repository. */
export function peersFolder(): string {
  return process.env["STEPWELL_PEERS_DIR"] ?? join(repositoryRoot, "..", "shared", "bench", "peers");
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const answer = (listens: boolean) => () => {
      socket.destroy();
      resolve(listens);
    };
    socket.once("connect", answer(true));
    socket.once("error", answer(false));
  });
}
