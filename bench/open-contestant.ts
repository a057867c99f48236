import type { Contestant, ContestantName } from "./contestant.ts";
import type { WorkflowName } from "./workflows.ts";

/** Opens what is measured, in an empty folder; its code is loaded now, so that it is alone in the process. */
export async function openContestant(name: ContestantName, directory: string, workflow: WorkflowName): Promise<Contestant> {
  switch (name) {
    case "ours":
    case "ours-dist": {
      const { openOurs } = await import("./ours.ts");
      return openOurs(directory, name === "ours" ? "src" : "dist", workflow);
    }
    case "limit":
    case "limit-running": {
      const { openLimit } = await import("./limit.ts");
      return openLimit(directory, name === "limit" ? "combined" : "running", workflow);
    }
  }
}
