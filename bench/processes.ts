import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job } from "./child.ts";

const children = new Set<ChildProcess>();
const cleanUps = new Set<() => void>();
let directories = 0;

/** Everything that the benchmark writes, in the system's folder for temporary files; removed at the end. */
const dataRoot: string = mkdtempSync(join(tmpdir(), "stepwell-bench-"));

/** The benchmark's own files without their types, once the first process has made them: what strips them stays in memory, 27 MB of it. */
const compiled: string = join(dataRoot, "compiled");

/** An empty folder of its own for one measurement. */
export function newDirectory(): string {
  directories += 1;
  const directory = join(dataRoot, String(directories));
  mkdirSync(directory);
  return directory;
}

/** Has something cleaned up when the benchmark ends, also by Ctrl-C; synchronous, because the process ends right after. */
export function onEnd(cleanUp: () => void): void {
  cleanUps.add(cleanUp);
}

/** Ends every process that was started here, and removes the data. */
export function endAll(): void {
  for (const child of children) killGroup(child);
  for (const cleanUp of cleanUps) cleanUp();
  cleanUps.clear();
  rmSync(dataRoot, { recursive: true, force: true, maxRetries: 5 });
}

/** Ctrl-C and a polite kill clean up first and then end the process as they would have. */
export function endOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      endAll();
      process.kill(process.pid, signal);
    });
  }
}

/**
 * Carries out a job in a fresh Node and resolves with its answer.
 *
 * @throws Error with what the child wrote to stderr, when it ends without an answer
 */
export async function runJob(job: Job): Promise<unknown> {
  const { answered, closed } = forkJob(job);
  const answer = await answered;
  await closed;
  return answer;
}

/** A process that goes on after its answer. */
interface StayingJob {
  readonly answer: unknown;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** @throws Error as `runJob` does */
export async function startJob(job: Job): Promise<StayingJob> {
  const { child, answered, closed } = forkJob(job);
  const answer = await answered;
  return {
    answer,
    kill: () => {
      killGroup(child);
      return closed;
    },
  };
}

function forkJob(job: Job): { readonly child: ChildProcess; readonly answered: Promise<unknown>; readonly closed: Promise<void> } {
  const child = fork(join(import.meta.dirname, "child.ts"), [JSON.stringify(job)], {
    detached: true,
    execArgv: ["--disable-warning=ExperimentalWarning"],
    env: { ...process.env, NODE_COMPILE_CACHE: compiled },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  track(child);
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint += chunk.toString("utf8");
  });
  const closed = Promise.withResolvers<void>();
  const answered = new Promise<unknown>((resolve, reject) => {
    child.once("message", resolve);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      reject(new Error(`a measurement ended with ${signal ?? code}:\n${complaint}`));
      closed.resolve();
    });
  });
  return { child, answered, closed: closed.promise };
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds after which the program and what it has started are killed. */
  readonly timeoutMs: number;
}

/** Runs another program to its end in a process group of its own; what it left running is killed then. */
export function runProgram(
  command: readonly string[],
  { cwd, env = process.env, timeoutMs }: ProgramOptions,
): Promise<{ readonly exitCode: number | null; readonly output: string; readonly complaint: string }> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    track(child);
    const timer = setTimeout(() => killGroup(child), timeoutMs);
    let output = "";
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk.toString("utf8");
    });
    child.once("error", reject);
    child.once("exit", () => killGroup(child));
    child.once("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, output, complaint });
    });
  });
}

function track(child: ChildProcess): void {
  children.add(child);
  child.once("close", () => children.delete(child));
}

/** The child leads a group (`detached`), so that what it started ends with it. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // the whole group has ended already
  }
}
