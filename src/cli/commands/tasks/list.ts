import { Option } from "commander";
import type { TaskDetail, TaskFilter } from "../../../engine/api.ts";
import { commandsOver } from "../../../engine/commands-over.ts";
import type { TaskCommands } from "../../../engine/task-commands.ts";
import type { TaskStatus } from "../../../ledger/rows.ts";
import { collectText, type Define, LEDGER_FLAG, wholeNumber } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { findRun } from "../../find-run.ts";
import { dateAndTime, table } from "../../layout.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import { whomOf } from "../../task-text.ts";
import type { Output } from "../../terminal.ts";

const OPEN = ["READY", "CLAIMED", "RETRY_WAIT", "DEAD_LETTER"] as const satisfies readonly TaskStatus[];
const CLOSED = ["DONE", "CANCELLED", "EXPIRED"] as const satisfies readonly TaskStatus[];

interface Flags {
  readonly status?: TaskStatus;
  readonly topic?: string;
  readonly run?: string;
  readonly as?: string;
  readonly group?: readonly string[];
  readonly limit: number;
  readonly ledger: string;
  readonly json?: true;
}

export const defineList: Define = (command, { terminal, finish }) => {
  command
    .addOption(new Option("--status <status>", "only tasks in this status; without it all that are open").choices([...OPEN, ...CLOSED]))
    .option("--topic <topic>", "only work items of this topic")
    .option("--run <run>", "only tasks of this run")
    .option("--as <name>", "only what this person, or a --group, may decide")
    .option("--group <name>", "a group that the person is in; may be repeated", collectText)
    .option("--limit <count>", "how many", wholeNumber(1), 50)
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .action(async (flags: Flags) => {
      await list(flags, terminal.out);
      finish(EXIT.succeeded);
    });
};

async function list({ status, topic, run, as: user, group, limit, ledger: url, json }: Flags, out: Output): Promise<void> {
  await using ledger = await openExistingLedger(url);
  const { tasks: commands } = await commandsOver(ledger, TENANT);
  const isOfPerson = user !== undefined || group !== undefined;
  const filter: TaskFilter = {
    ...(topic !== undefined && { topic }),
    ...(run !== undefined && { run: (await findRun(ledger, run)).publicId }),
    ...(isOfPerson && { user: user ?? "", groups: group ?? [] }),
  };
  const found = await tasksOf(commands, filter, status === undefined ? OPEN : [status], limit);
  const tasks = found.slice(0, limit);
  if (json === true) {
    out.line(JSON.stringify({ tasks }, null, 2));
    return;
  }
  if (tasks.length === 0) out.line("No tasks");
  for (const line of lines(tasks, out)) out.line(line);
  if (found.length > limit) out.line(out.paint.dim(`newer tasks are not shown; --limit ${limit * 5} shows more`));
}

/** Oldest first, one more than asked when there are more. */
async function tasksOf(
  commands: TaskCommands,
  filter: TaskFilter,
  statuses: readonly TaskStatus[],
  limit: number,
): Promise<readonly TaskDetail[]> {
  const pages = await Promise.all(statuses.map((status) => commands.list({ ...filter, status, limit: limit + 1 })));
  return pages
    .flatMap(({ tasks }) => tasks)
    .toSorted((left, right) => Date.parse(left.createdAt) - Date.parse(right.createdAt))
    .slice(0, limit + 1);
}

function lines(tasks: readonly TaskDetail[], { paint }: Output): readonly string[] {
  if (tasks.length === 0) return [];
  const columns = [
    { title: "TASK" },
    { title: "STATUS" },
    { title: "WHAT", maxWidth: 40 },
    { title: "FOR", maxWidth: 30 },
    { title: "STEP", maxWidth: 30 },
    { title: "UNTIL" },
  ];
  const [titles = "", ...rows] = table(
    columns,
    tasks.map((task) => {
      const { id, status, title, topic, step, expiresAt } = task;
      return [id, status, title ?? topic ?? "", whomOf(task), step, expiresAt === null ? "" : dateAndTime(Date.parse(expiresAt))];
    }),
  );
  return [paint.dim(titles), ...rows];
}
