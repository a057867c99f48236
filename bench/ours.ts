import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Stepwell, StepwellOptions } from "../src/index.ts";
import type { Contestant, ContestantName, Place } from "./contestant.ts";
import { createWork, DEFINITIONS, INPUT, type WorkflowName } from "./workflows.ts";

const FILES = { src: join("src", "index.ts"), dist: join("dist", "index.js") } as const;
/** The folder that Stepwell is loaded from. */
export type Source = keyof typeof FILES;

interface Package {
  readonly Stepwell: new (options: StepwellOptions) => Stepwell;
}

/**
 * Stepwell as a user embeds it, with default settings and the operator `work`; from dist/ it must have been built before.
 *
 * @param options other ones, which bring the operator themselves
 */
export async function openStepwell(
  place: Place,
  from: Source,
  options: Omit<StepwellOptions, "ledger"> = { operators: { work: createWork() } },
): Promise<{ readonly stepwell: Stepwell; readonly ledger: string }> {
  const entry = join(import.meta.dirname, "..", FILES[from]);
  const loaded: unknown = await import(pathToFileURL(entry).href);
  if (!isPackage(loaded)) throw new Error(`${entry} does not export Stepwell`);
  const ledger = ledgerOf(place);
  return { stepwell: new loaded.Stepwell({ ...options, ledger }), ledger };
}

export async function openOurs(place: Place, from: Source, workflow: WorkflowName): Promise<Contestant> {
  const { stepwell } = await openStepwell(place, from);
  await stepwell.register(DEFINITIONS[workflow]);
  return {
    run: async () => {
      const id = await stepwell.start(workflow, INPUT);
      const { status, error } = await stepwell.result(id);
      if (status !== "SUCCEEDED") throw new Error(`a run of "${workflow}" ended ${status}: ${JSON.stringify(error)}`);
    },
    close: async () => {
      await stepwell.stop();
      return completedRuns(place);
    },
  };
}

/** The class has the same surface from both folders; the compiler cannot follow a path that is made at run time. */
function isPackage(loaded: unknown): loaded is Package {
  return typeof loaded === "object" && loaded !== null && "Stepwell" in loaded && typeof loaded.Stepwell === "function";
}

/** As anybody sees them in the views of the ledger. */
export async function completedRuns(place: Place): Promise<number> {
  if (place.database !== null) {
    const { query } = await import("../test/fixtures/postgres/new-database.ts");
    const [row] = await query(place.database, "SELECT count(*) AS runs FROM stepwell.runs WHERE status = 'SUCCEEDED'");
    return Number(row?.["runs"]);
  }
  const database = new DatabaseSync(fileIn(place), { readOnly: true });
  const count = database.prepare("SELECT count(*) AS runs FROM runs WHERE status = 'SUCCEEDED'").get()?.["runs"];
  database.close();
  return Number(count);
}

/** The URL of the ledger there. */
export const ledgerOf = (place: Place): string => place.database ?? fileIn(place);

const fileIn = ({ directory }: Place): string => join(directory, "ours.db");

/** The folder that a contestant is loaded from. */
export function sourceOf(ours: Extract<ContestantName, "ours" | "ours-dist">): Source {
  return ours === "ours" ? "src" : "dist";
}
