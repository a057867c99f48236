import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { settingsPage } from "../../scripts/settings-page.ts";
import { ALL_SETTINGS, SERVER_SETTINGS, WORKER_SETTINGS } from "../../src/cli/settings/settings.ts";
import { root } from "./tree.ts";

const page = readFileSync(join(root, "docs", "guide", "configuration.md"), "utf8");

test("docs/guide/configuration.md has the settings of today; `npm run docs` writes them anew", () => {
  expect(settingsPage(page)).toBe(page);
  for (const name of Object.keys({ ...WORKER_SETTINGS, ...SERVER_SETTINGS })) expect(page).toContain(`\n| \`${name}\` | \`--`);
});

test("a page whose table is old, or has lost its place, is found out", () => {
  expect(settingsPage(page.replace("| `ledger` |", "| `leger` |"))).toBe(page);
  expect(() => settingsPage(page.replace("<!-- Made from", "<!-- made from"))).toThrow("lost the marks");
});

test("a setting means the same in a worker and a server, so that one file can serve both", () => {
  for (const table of [WORKER_SETTINGS, SERVER_SETTINGS])
    for (const [name, setting] of Object.entries(table)) expect(ALL_SETTINGS[name]).toBe(setting);
});
