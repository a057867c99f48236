import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where packages of the usual systems have it: the library for programs with several threads. */
const FAKETIME = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
  "/usr/lib64/faketime/libfaketimeMT.so.1",
].find((file) => existsSync(file));

/** Why the wall clock of a process cannot be set; undefined when it can. */
export const NO_CLOCK_JUMPS =
  FAKETIME === undefined ? "libfaketime is not installed: apt-get install faketime, or dnf install libfaketime" : undefined;

/** A wall clock for processes, which jumps under them while their timers go on as before. */
export class WallClock {
  readonly #file: string;

  /** @param folder for a file of its own */
  constructor(folder: string) {
    this.#file = join(folder, "clock");
    this.set(0);
  }

  /** It differs by so much from the right time from now on. */
  set(seconds: number): void {
    const whole = `${this.#file}.new`;
    writeFileSync(whole, `${seconds < 0 ? "" : "+"}${seconds}`);
    renameSync(whole, this.#file);
  }

  /** The command that starts a program which lives by it. */
  command(program: string, args: readonly string[]): readonly [program: string, args: readonly string[]] {
    if (FAKETIME === undefined) return [program, args];
    const rules = { FAKETIME_TIMESTAMP_FILE: this.#file, FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" };
    const settings = Object.entries({ LD_PRELOAD: FAKETIME, ...rules }).map(([name, value]) => `${name}=${value}`);
    return ["sh", ["-c", `rm -f ${sharedFiles("$$").join(" ")}; exec "$@"`, "sh", "env", ...settings, program, ...args]];
  }

  /** A process that was killed could not remove its own. */
  forget(pid: number | undefined): void {
    if (FAKETIME === undefined || pid === undefined) return;
    for (const file of sharedFiles(String(pid))) rmSync(file, { force: true });
  }
}

/** What the library shares between a process and its children; it ends a process that finds those of a dead one with the same id. */
function sharedFiles(pid: string): readonly string[] {
  return [`/dev/shm/faketime_shm_${pid}`, `/dev/shm/sem.faketime_sem_${pid}`];
}
