import { commandsOver } from "../../../engine/commands-over.ts";
import { type Define, LEDGER_FLAG } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { findTask } from "../../find-task.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import { nameOf } from "../../task-text.ts";

interface Flags {
  readonly ledger: string;
}

export const defineRestore: Define = (command, { terminal, finish }) => {
  command
    .argument("<task>", "a task id, or as much of its beginning as is unique")
    .addOption(LEDGER_FLAG)
    .action(async (idOrPrefix: string, { ledger: url }: Flags) => {
      await using ledger = await openExistingLedger(url);
      const { tasks } = await commandsOver(ledger, TENANT);
      const task = await tasks.restore((await findTask(tasks, idOrPrefix)).id);
      terminal.out.line(`Restored ${nameOf(task)}; the next worker that polls ${task.topic ?? "its topic"} is given it`);
      finish(EXIT.succeeded);
    });
};
