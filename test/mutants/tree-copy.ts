import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../house/tree.ts";

/** A copy of the engine that can be changed; disposing removes it. */
export class TreeCopy implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "stepwell-copy-"));

  /** @param parts what it needs beside the sources */
  constructor(parts: readonly string[]) {
    for (const part of ["src", "package.json", ...parts]) cpSync(join(root, part), join(this.folder, part), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"));
  }

  /** Puts `to` in the one place of a file that reads `from`; gives what puts it back. */
  edit(file: string, from: string, to: string): () => void {
    const path = join(this.folder, file);
    const source = readFileSync(path, "utf8");
    const [before, after, ...more] = source.split(from);
    if (before === undefined || after === undefined || more.length > 0) throw new Error(`${file} has not one place that reads ${from}`);
    writeFileSync(path, `${before}${to}${after}`);
    return () => writeFileSync(path, source);
  }

  append(file: string, text: string): void {
    appendFileSync(join(this.folder, file), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}
