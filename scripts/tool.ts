import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

export const repositoryRoot: string = join(import.meta.dirname, "..");

export interface ToolResult {
  /** 1 as well when the program could not be started or was killed. */
  readonly exitCode: number;
  /** stdout and stderr as they came; empty under `show`. */
  readonly output: string;
}

/**
 * Runs a program of the repository's own dependencies, with its own Node first on the path; in its root unless told otherwise.
 * `show` gives it this process's terminal, `collect` keeps what it prints.
 */
export function runTool(command: readonly string[], output: "show" | "collect", cwd: string = repositoryRoot): Promise<ToolResult> {
  const [program = "", ...args] = command;
  const path = [join(repositoryRoot, "node_modules", ".bin"), process.env["PATH"] ?? ""].join(delimiter);
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, PATH: path },
      stdio: ["ignore", ...(output === "show" ? (["inherit", "inherit"] as const) : (["pipe", "pipe"] as const))],
    });
    const chunks: Buffer[] = [];
    const keep = (chunk: Buffer): void => {
      chunks.push(chunk);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    child.on("error", (error) => {
      resolve({ exitCode: 1, output: `${program}: ${error.message}\n` });
    });
    child.on("close", (code) => {
      resolve({ exitCode: code ?? 1, output: Buffer.concat(chunks).toString("utf8") });
    });
  });
}
