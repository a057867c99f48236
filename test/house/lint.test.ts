import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { runTool } from "../../scripts/tool.ts";
import { root } from "./tree.ts";

const BROKEN: readonly (readonly [rule: string, code: string])[] = [
  ["typescript(no-floating-promises)", "async function a() {}\nexport function b() { a(); }"],
  ["typescript(no-misused-promises)", "export function a(list: number[]) { list.forEach(async (n) => { await Promise.resolve(n); }); }"],
  ["typescript(await-thenable)", "export async function a() { await 1; }"],
  ["typescript(no-explicit-any)", "export function a(x: any) { return typeof x; }"],
  ["typescript(no-non-null-assertion)", "export function a(x: string | null) { return x!; }"],
  ["typescript(no-unsafe-return)", "export function a(): number { return JSON.parse('1'); }"],
  ["typescript(switch-exhaustiveness-check)", 'export function a(x: "p" | "q") { switch (x) { case "p": return 1; } return 2; }'],
  ["typescript(consistent-type-imports)", 'import { Stats } from "node:fs";\nexport let a: Stats | undefined;'],
  ["typescript(only-throw-error)", 'export function a() { throw "text"; }'],
  ["typescript(no-unnecessary-condition)", "export function a(x: string) { return x?.length; }"],
  ["typescript(prefer-promise-reject-errors)", 'export const a = () => Promise.reject("text");'],
  ["eslint(no-console)", 'console.log("x");\nexport const a = 1;'],
  ["eslint(eqeqeq)", "export const a = (x: number) => x == 1;"],
  ["unicorn(prefer-node-protocol)", 'import fs from "fs";\nexport const a = fs;'],
];

const diagnostics = z.object({ diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })) });
let folder = "";
let found: ReadonlySet<string> = new Set();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stepwell-lint-"));
  const compilerOptions = {
    strict: true,
    module: "nodenext",
    target: "es2024",
    types: ["node"],
    typeRoots: [join(root, "node_modules", "@types")],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  for (const [index, [, code]] of BROKEN.entries()) writeFileSync(join(folder, `broken-${index}.ts`), `${code}\n`);
  const { output } = await runTool(
    ["oxlint", "--config", join(root, ".oxlintrc.json"), "--type-aware", "--format", "json", folder],
    "collect",
  );
  const report = diagnostics.parse(JSON.parse(output));
  found = new Set(report.diagnostics.map(({ code, filename }) => `${code} in ${filename.slice(filename.lastIndexOf("/") + 1)}`));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test.each(BROKEN.map(([rule], index) => [rule, index] as const))("the linter finds what breaks %s", (rule, index) => {
  expect(found).toContain(`${rule} in broken-${index}.ts`);
});
