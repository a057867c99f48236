import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ArchiveFolder } from "./archive-folder.ts";

let place = "";
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "stepwell-archive-"));
});
afterEach(() => rm(place, { recursive: true }));

const at = (iso: string) => (): number => Date.parse(iso);
const texts = async (folder: string): Promise<readonly string[]> =>
  Promise.all((await readdir(folder)).toSorted().map((file) => readFile(join(folder, file), "utf8")));

describe("an archive in a folder", () => {
  test("makes the folder, and a file for each pass that has something, for its owner alone", async () => {
    const folder = join(place, "deep", "runs");
    const archive = new ArchiveFolder(folder, at("2026-11-27T16:51:24.123Z"));
    await archive.prepare();
    await expect(readdir(folder)).resolves.toEqual([]);
    for (const pass of [["a", "b"], [], ["c"]]) {
      for (const text of pass) await archive.write(['{"id":', `"${text}"`, "}"]);
      await archive.flush();
      await archive.close();
    }
    const names = await readdir(folder);
    for (const name of names) expect(name).toMatch(/^2026-11-27T16-51-24-123Z-[0-9a-f]{8}\.jsonl$/);
    expect((await texts(folder)).toSorted()).toEqual(['{"id":"a"}\n{"id":"b"}\n', '{"id":"c"}\n']);
    expect((await stat(join(folder, names[0] ?? ""))).mode & 0o777).toBe(0o600);
  });

  test("takes a line of any size, a piece at a time", async () => {
    const archive = new ArchiveFolder(place, at("2026-11-27T00:00:00Z"));
    const piece = "x".repeat(1_000);
    await archive.write(Array.from({ length: 1_000 }, () => piece));
    await archive.flush();
    await archive.close();
    await expect(texts(place)).resolves.toEqual([`${piece.repeat(1_000)}\n`]);
  });

  test("says what is wrong where it cannot be, and goes on in a new file when that is over", async () => {
    const taken = join(place, "taken");
    await writeFile(taken, "no folder");
    const hint = "Nothing is deleted meanwhile: free space there, let this process write there, or name another folder.";
    await expect(new ArchiveFolder(taken, Date.now).prepare()).rejects.toMatchObject({ code: "ARCHIVE_UNAVAILABLE", hint });
    const folder = join(place, "runs");
    const archive = new ArchiveFolder(folder, Date.now);
    await archive.prepare();
    await archive.write(["first"]);
    await archive.flush();
    await archive.close();
    await rm(folder, { recursive: true });
    await archive.write(["lost"]);
    const said = expect.stringContaining(`The archive ${folder} cannot be written: ENOENT`);
    await expect(archive.flush()).rejects.toMatchObject({ code: "ARCHIVE_UNAVAILABLE", message: said });
    await archive.prepare();
    await archive.write(["second"]);
    await archive.flush();
    await archive.close();
    await expect(texts(folder)).resolves.toEqual(["second\n"]);
  });
});
