import type { Define } from "../../command.ts";
import { defineList } from "./list.ts";
import { definePrune } from "./prune.ts";
import { defineShow } from "./show.ts";
import { defineSteer } from "./steer.ts";

export const defineRuns: Define = (command, session) => {
  command.addHelpText(
    "after",
    `
All of them work while an engine is at work on the ledger.

Examples:
  $ stepwell runs list --status FAILED --limit 5
  $ stepwell runs show 01a1fa77
  $ stepwell runs cancel 01a1fa77
  $ stepwell runs pause 01a1fa77 --as ana
  $ stepwell runs retry 01a1fa77
  $ stepwell runs prune --older-than 30d --status SUCCEEDED --dry-run`,
  );
  defineList(command.command("list").description("list runs, newest first"), session);
  defineShow(command.command("show").description("show a run: its steps, attempts and history"), session);
  defineSteer("cancel")(command.command("cancel").description("cancel a run"), session);
  defineSteer("pause")(command.command("pause").description("hold a run: nothing of it starts until it is resumed"), session);
  defineSteer("resume")(command.command("resume").description("let a paused or quarantined run go on"), session);
  defineSteer("retry")(command.command("retry").description("try again what failed in a FAILED run"), session);
  definePrune(command.command("prune").description("delete runs that ended some time ago"), session);
};
