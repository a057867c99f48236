import type { Define } from "../../command.ts";
import { defineComplete } from "./complete.ts";
import { defineApprove, defineReject } from "./decide.ts";
import { defineList } from "./list.ts";
import { defineRestore } from "./restore.ts";
import { defineShow } from "./show.ts";

export const defineTasks: Define = (command, session) => {
  command.addHelpText(
    "after",
    `
All of them work while an engine is at work on the ledger.

Examples:
  $ stepwell tasks list --as ana --group finance
  $ stepwell tasks show 01a1fa88
  $ stepwell tasks approve 01a1fa88 --as ana --group finance --comment "known customer"
  $ stepwell tasks complete 01a1fa99 --result '{"parcel": "P-19"}'`,
  );
  defineList(command.command("list").description("list what is open, oldest first"), session);
  defineShow(command.command("show").description("show a task: what is asked, of whom, and its form"), session);
  defineApprove(command.command("approve").description("approve what a run asks for"), session);
  defineReject(command.command("reject").description("reject what a run asks for"), session);
  defineComplete(command.command("complete").description("complete a work item by hand, or for a worker"), session);
  defineRestore(command.command("restore").description("give a dead letter out again, with all its attempts"), session);
};
