import type { Contestant, ContestantName } from "./contestant.ts";

/** The code of a contestant is loaded when it is asked for, so that it is alone in the process that is measured. */
export async function openContestant(name: ContestantName, directory: string): Promise<Contestant> {
  switch (name) {
    case "ours":
    case "ours-dist": {
      const { openOurs } = await import("./ours.ts");
      return openOurs(directory, name === "ours" ? "src" : "dist");
    }
    case "limit":
    case "limit-running": {
      const { openLimit } = await import("./limit.ts");
      return openLimit(directory, name === "limit" ? "combined" : "running");
    }
  }
}
