import type { TaskDetail } from "../../../engine/api.ts";
import { commandsOver } from "../../../engine/commands-over.ts";
import { isJsonObject, type Json } from "../../../model/json.ts";
import { type Define, LEDGER_FLAG } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { findTask } from "../../find-task.ts";
import { dateAndTime, oneLine, table } from "../../layout.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import { readable } from "../../readable.ts";
import { formLines, nameOf, whomOf } from "../../task-text.ts";
import type { Output } from "../../terminal.ts";

interface Flags {
  readonly ledger: string;
  readonly json?: true;
}

export const defineShow: Define = (command, { terminal, finish }) => {
  command
    .argument("<task>", "a task id, or as much of its beginning as is unique")
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .action(async (idOrPrefix: string, { ledger: url, json }: Flags) => {
      await using ledger = await openExistingLedger(url);
      const { tasks } = await commandsOver(ledger, TENANT);
      const task = await findTask(tasks, idOrPrefix);
      if (json === true) terminal.out.line(JSON.stringify(task, null, 2));
      else await print(task, terminal.out);
      finish(EXIT.succeeded);
    });
};

async function print(task: TaskDetail, out: Output): Promise<void> {
  const { description, form, payload, decision, error } = task;
  out.line(out.paint.bold(task.title === null ? `Work of ${oneLine(task.topic ?? "")}` : oneLine(task.title)));
  if (description !== null) out.line(description.split("\n").map(oneLine).join("\n"));
  out.line("");
  for (const line of table([{ title: "" }, { title: "" }], factsOf(task))) out.line(line);
  if (isJsonObject(form)) await section(out, "Form", formLines(form) ?? form);
  if (payload !== null) await section(out, "Payload", payload);
  if (decision !== null) await section(out, task.type === "approval" ? "Decision" : "Result", decision);
  if (error !== null) await section(out, "Last error", error);
  const next = nextOf(task);
  if (next !== undefined) out.line(`\n${next}`);
}

async function section(out: Output, title: string, content: Json | readonly string[]): Promise<void> {
  out.line(`\n${out.paint.bold(title)}`);
  const isLines = Array.isArray(content) && content.every((line) => typeof line === "string");
  out.line(isLines ? content.join("\n") : await readable(content));
}

function factsOf(task: TaskDetail): readonly (readonly string[])[] {
  const { id, status, run, step, attempt, maxAttempts, worker, decidedBy, createdAt, expiresAt, closedAt, type } = task;
  const facts: readonly (readonly [string, string | null])[] = [
    ["task", id],
    ["status", status],
    ["run", run],
    ["step", step],
    ["for", whomOf(task)],
    ["attempts", type === "work" && attempt > 0 ? `${attempt} (at most ${maxAttempts} failures)` : null],
    ["worker", worker],
    ["since", dateAndTime(Date.parse(createdAt))],
    ["until", expiresAt === null ? null : dateAndTime(Date.parse(expiresAt))],
    ["closed", closedAt === null ? null : `${dateAndTime(Date.parse(closedAt))}${decidedBy === null ? "" : ` by ${decidedBy}`}`],
  ];
  return facts.flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
}

function nextOf(task: TaskDetail): string | undefined {
  const { id, type, status, form, groups } = task;
  if (status === "DEAD_LETTER") return `Give it out again with: stepwell tasks restore ${id}`;
  if (type === "work" && (status === "READY" || status === "RETRY_WAIT"))
    return `Done by hand? stepwell tasks complete ${id} --result JSON`;
  if (type !== "approval" || status !== "READY") return undefined;
  return `Decide on ${nameOf(task)} with: stepwell tasks approve ${id} --as NAME${groups.length === 0 ? "" : ` --group ${oneLine(groups[0] ?? "")}`}${form === null ? "" : " --form JSON"}`;
}
