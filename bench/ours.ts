import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Stepwell, StepwellOptions } from "../src/index.ts";
import type { Contestant } from "./contestant.ts";
import { createWork, DEFINITIONS, INPUT, type WorkflowName } from "./workflows.ts";

const FILES = { src: join("src", "index.ts"), dist: join("dist", "index.js") } as const;
/** The folder that Stepwell is loaded from. */
export type Source = keyof typeof FILES;

interface Package {
  readonly Stepwell: new (options: StepwellOptions) => Stepwell;
}

/** Stepwell as a user embeds it, with default settings and the operator `work`; from dist/ it must have been built before. */
export async function openStepwell(directory: string, from: Source): Promise<{ readonly stepwell: Stepwell; readonly file: string }> {
  const entry = join(import.meta.dirname, "..", FILES[from]);
  const loaded: unknown = await import(pathToFileURL(entry).href);
  if (!isPackage(loaded)) throw new Error(`${entry} does not export Stepwell`);
  const file = join(directory, "ours.db");
  return { stepwell: new loaded.Stepwell({ ledger: file, operators: { work: createWork() } }), file };
}

export async function openOurs(directory: string, from: Source, workflow: WorkflowName): Promise<Contestant> {
  const { stepwell, file } = await openStepwell(directory, from);
  await stepwell.register(DEFINITIONS[workflow]);
  return {
    run: async () => {
      const id = await stepwell.start(workflow, INPUT);
      const { status, error } = await stepwell.result(id);
      if (status !== "SUCCEEDED") throw new Error(`a run of "${workflow}" ended ${status}: ${JSON.stringify(error)}`);
    },
    close: async () => {
      await stepwell.stop();
      return completedRuns(file);
    },
  };
}

/** The class has the same surface from both folders; the compiler cannot follow a path that is made at run time. */
function isPackage(loaded: unknown): loaded is Package {
  return typeof loaded === "object" && loaded !== null && "Stepwell" in loaded && typeof loaded.Stepwell === "function";
}

function completedRuns(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const count = database.prepare("SELECT count(*) AS runs FROM runs WHERE status = 'SUCCEEDED'").get()?.["runs"];
  database.close();
  return Number(count);
}
