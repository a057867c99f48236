import type { Command } from "commander";
import type { Decision, TaskDetail } from "../../../engine/api.ts";
import { commandsOver } from "../../../engine/commands-over.ts";
import type { TaskCommands } from "../../../engine/task-commands.ts";
import { collectText, type Define, LEDGER_FLAG, type Session } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { findTask } from "../../find-task.ts";
import { type JsonFlag, readJsonFlag } from "../../json-flag.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import { nameOf } from "../../task-text.ts";
import { whoActs } from "../../who-acts.ts";

interface Flags {
  readonly as: string;
  readonly group?: readonly string[];
  readonly comment?: string;
  readonly form?: string;
  readonly ledger: string;
}

const FORM: JsonFlag = { flag: "--form", example: `{"amount": 500}` };

export const defineApprove: Define = (command, session) => {
  decider(command)
    .option("--form <json>", "what the form asks for: JSON, @file, or - for the standard input")
    .action((idOrPrefix: string, flags: Flags) =>
      decide(idOrPrefix, flags, session, "Approved", (tasks, id, decision) => tasks.approve(id, decision)),
    );
};

export const defineReject: Define = (command, session) => {
  decider(command).action((idOrPrefix: string, flags: Flags) =>
    decide(idOrPrefix, flags, session, "Rejected", (tasks, id, decision) => tasks.reject(id, decision)),
  );
};

function decider(command: Command): Command {
  return command
    .argument("<task>", "a task id, or as much of its beginning as is unique")
    .requiredOption("--as <name>", "who decides")
    .option("--group <name>", "a group that the person is in; may be repeated", collectText)
    .option("--comment <text>", "kept with the decision")
    .addOption(LEDGER_FLAG);
}

async function decide(
  idOrPrefix: string,
  { as: by, group: groups = [], comment, form, ledger: url }: Flags,
  { terminal, finish }: Session,
  word: string,
  take: (tasks: TaskCommands, id: string, decision: Decision) => Promise<TaskDetail>,
): Promise<void> {
  const filled = await readJsonFlag(form, FORM);
  await using ledger = await openExistingLedger(url);
  const { tasks } = await commandsOver(ledger, TENANT);
  const { id } = await findTask(tasks, idOrPrefix);
  const decision = { by, groups, ...(comment !== undefined && { comment }), ...(filled !== undefined && { form: filled }) };
  const task = await take(tasks, id, decision);
  terminal.out.line(`${word} ${nameOf(task)} as ${by}; ${await whoActs(url, `goes on with step ${task.step}`)}`);
  finish(EXIT.succeeded);
}
