import type { Contestant, ContestantName, Place } from "./contestant.ts";
import type { LimitStore } from "./limit-engine.ts";
import type { WorkflowName } from "./workflows.ts";

/** Opens what is measured, in an empty place; its code is loaded now, so that it is alone in the process. */
export async function openContestant(name: ContestantName, place: Place, workflow: WorkflowName): Promise<Contestant> {
  switch (name) {
    case "ours":
    case "ours-dist": {
      const { openOurs, sourceOf } = await import("./ours.ts");
      return openOurs(place, sourceOf(name), workflow);
    }
    case "limit":
    case "limit-running": {
      const { LimitEngine } = await import("./limit-engine.ts");
      return new LimitEngine(await openStore(place), name === "limit" ? "combined" : "running", workflow);
    }
  }
}

async function openStore({ directory, database }: Place): Promise<LimitStore> {
  if (database === null) {
    const { SqliteLimitStore } = await import("./limit-sqlite.ts");
    return new SqliteLimitStore(directory);
  }
  const { PostgresLimitStore } = await import("./postgres/limit-postgres.ts");
  return PostgresLimitStore.open(database);
}
