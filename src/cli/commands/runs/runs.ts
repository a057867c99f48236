import type { Define } from "../../command.ts";
import { defineList } from "./list.ts";
import { defineShow } from "./show.ts";
import { defineSignal } from "./signal.ts";

export const defineRuns: Define = (command, session) => {
  command.addHelpText(
    "after",
    `
All of them work while an engine is at work on the ledger.

Examples:
  $ stepwell runs list --status FAILED --limit 5
  $ stepwell runs show 01a1fa77
  $ stepwell runs cancel 01a1fa77
  $ stepwell runs resume 01a1fa77`,
  );
  defineList(command.command("list").description("list runs, newest first"), session);
  defineShow(command.command("show").description("show a run: its steps, attempts and history"), session);
  defineSignal("cancel")(command.command("cancel").description("cancel a run"), session);
  defineSignal("resume")(command.command("resume").description("let a quarantined run go on"), session);
};
