// `npm run build`: dist/ from nothing: the sources bundled, and the declarations of what index.ts exports.
import { rmSync } from "node:fs";
import { join, relative } from "node:path";
import { rolldown } from "rolldown";
import { repositoryRoot, runTool } from "./tool.ts";

const sources = join(repositoryRoot, "src");
const target = join(repositoryRoot, "dist");
/** What a worker thread begins with; it is loaded by its path. */
const THREADS = ["ledger/postgres/heart-worker", "ledger/thread/worker", "operators/thread/worker"];
/** With the package and the command. */
const ENTRIES = ["index", "cli/bin", ...THREADS];

/** Loading a module costs more than the code in it: `stepwell run` loads 50 files of a bundle where the sources have 260. */
async function bundle(): Promise<void> {
  const bundled = await rolldown({
    input: Object.fromEntries(ENTRIES.map((entry) => [entry, join(sources, `${entry}.ts`)])),
    platform: "node",
    // the packages that package.json names stay packages
    external: (id) => !id.startsWith(".") && !id.startsWith(sources),
    // a file that one command loads when it needs it, and another with all the rest
    checks: { ineffectiveDynamicImport: false },
  });
  await bundled.write({ dir: target, sourcemap: true, chunkFileNames: ({ facadeModuleId }) => placeOf(facadeModuleId ?? null) });
  await bundled.close();
}

/** A file that is loaded by a path beside its own (`import.meta.url`) stands where it stands in the sources. */
function placeOf(entry: string | null): string {
  return entry === null ? "shared/[name]-[hash].js" : relative(sources, entry).replace(/\.ts$/, ".js");
}

rmSync(target, { recursive: true, force: true });
const declared = await runTool(["tsc", "-p", "tsconfig.build.json"], "show");
await bundle();
process.exitCode = declared.exitCode;
