// Writes docs/reference/states.md.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { statesPage } from "./states-page.ts";
import { repositoryRoot } from "./tool.ts";

const page = join(repositoryRoot, "docs", "reference", "states.md");
mkdirSync(dirname(page), { recursive: true });
writeFileSync(page, statesPage());
