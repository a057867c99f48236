import { expect, test } from "vitest";
import { crashEverywhere, HitTable } from "./matrix.ts";

const SEED = 20_261;
const TIMEOUT_MS = 600_000;

test(
  "S0-14 S1-41 killed before and after each commit point, the engine loses, repeats and hastens nothing",
  async () => {
    const table = new HitTable();
    const wrong: string[] = [];
    await crashEverywhere(SEED, 2, ({ seed, crashes, violations }) => {
      table.add(crashes);
      for (const { wrong: kind, what } of violations) wrong.push(`seed ${seed}, ${JSON.stringify(crashes)}: ${kind}: ${what}`);
    });
    process.stdout.write(`${String(table)}\n`);
    expect(wrong).toEqual([]);
    expect(table.missing).toEqual([]);
  },
  TIMEOUT_MS,
);
