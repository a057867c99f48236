// Writes docs/errors/README.md; the pages themselves are written by hand.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorIndex } from "./error-pages.ts";
import { repositoryRoot } from "./tool.ts";

writeFileSync(join(repositoryRoot, "docs", "errors", "README.md"), errorIndex());
