// Writes the table of docs/guide/configuration.md; what stands around it is written by hand.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settingsPage } from "./settings-page.ts";
import { repositoryRoot } from "./tool.ts";

const page = join(repositoryRoot, "docs", "guide", "configuration.md");
writeFileSync(page, settingsPage(readFileSync(page, "utf8")));
