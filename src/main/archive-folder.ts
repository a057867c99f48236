import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, type FileHandle, mkdir, open } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { RunArchive } from "../engine/archive-runs.ts";
import { StepwellError } from "../model/errors.ts";

/** Bytes that are gathered before they are written, about. */
const GATHERED = 65_536;
/** What runs were given and gave back is for whoever runs the process alone. */
const OWNER_ONLY = 0o600;

/**
 * A folder of files in JSON Lines. Each pass writes a file of its own, named after its begin, and no file is written again: a write that was cut
 * off can only be at the end of one.
 */
export class ArchiveFolder implements RunArchive {
  readonly #folder: string;
  readonly #now: () => number;
  #file: FileHandle | undefined;
  #gathered = "";

  /** @param now milliseconds since the Unix epoch, for the names of files */
  constructor(folder: string, now: () => number) {
    this.#folder = resolve(folder);
    this.#now = now;
  }

  /**
   * Makes the folder when it is not there.
   *
   * @throws StepwellError `ARCHIVE_UNAVAILABLE` when it cannot be written
   */
  prepare(): Promise<void> {
    return this.#attempt(async () => {
      await mkdir(this.#folder, { recursive: true });
      await access(this.#folder, constants.W_OK | constants.X_OK);
    });
  }

  write(line: Iterable<string>): Promise<void> {
    return this.#attempt(async () => {
      for (const piece of line) {
        this.#gathered += piece;
        if (this.#gathered.length >= GATHERED) await this.#append();
      }
      this.#gathered += "\n";
    });
  }

  flush(): Promise<void> {
    return this.#attempt(async () => {
      await this.#append();
      await this.#file?.datasync();
    });
  }

  async close(): Promise<void> {
    this.#gathered = "";
    const file = this.#file;
    this.#file = undefined;
    // what counts was made durable before
    await file?.close().catch(() => undefined);
  }

  async #append(): Promise<void> {
    if (this.#gathered === "") return;
    this.#file ??= await this.#newFile();
    await this.#file.appendFile(this.#gathered);
    this.#gathered = "";
  }

  async #newFile(): Promise<FileHandle> {
    const begun = new Date(this.#now()).toISOString().replaceAll(/[:.]/g, "-");
    const file = await open(join(this.#folder, `${begun}-${randomBytes(4).toString("hex")}.jsonl`), "ax", OWNER_ONLY);
    const folder = await open(this.#folder);
    try {
      // the file's name must be as durable as what is in it
      await folder.sync();
    } finally {
      await folder.close();
    }
    return file;
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      await this.close();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StepwellError("ARCHIVE_UNAVAILABLE", `The archive ${this.#folder} cannot be written: ${why}`, {
        cause,
        hint: "Nothing is deleted meanwhile: free space there, let this process write there, or name another folder.",
      });
    }
  }
}
