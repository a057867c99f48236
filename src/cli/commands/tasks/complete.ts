import { commandsOver } from "../../../engine/commands-over.ts";
import { type Define, LEDGER_FLAG } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { findTask } from "../../find-task.ts";
import { type JsonFlag, readJsonFlag } from "../../json-flag.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import { nameOf } from "../../task-text.ts";
import { whoActs } from "../../who-acts.ts";

interface Flags {
  readonly token?: string;
  readonly result?: string;
  readonly ledger: string;
}

const RESULT: JsonFlag = { flag: "--result", example: `{"parcel": "P-19"}` };
/** Who has claimed a work item that is completed by hand. */
const WORKER = "cli";

export const defineComplete: Define = (command, { terminal, finish }) => {
  command
    .argument("<task>", "a task id, or as much of its beginning as is unique")
    .option("--token <token>", "the token of the claim; without it the item is claimed first, if nobody has it")
    .option("--result <json>", "the result of the step: JSON, @file, or - for the standard input")
    .addOption(LEDGER_FLAG)
    .action(async (idOrPrefix: string, { token, result, ledger: url }: Flags) => {
      const value = await readJsonFlag(result, RESULT);
      await using ledger = await openExistingLedger(url);
      const { tasks } = await commandsOver(ledger, TENANT);
      const { id } = await findTask(tasks, idOrPrefix);
      const task = await tasks.complete(id, token ?? (await tasks.claim(id, WORKER)).token, value);
      terminal.out.line(`Completed ${nameOf(task)}; ${await whoActs(url, `goes on with step ${task.step}`)}`);
      finish(EXIT.succeeded);
    });
};
