import type { TaskDetail } from "../engine/api.ts";
import type { TaskCommands } from "../engine/task-commands.ts";
import { StepwellError } from "../model/errors.ts";

const PAGE = 500;
/** Characters at the beginning of a task id that grow with time. */
const TIME_CHARACTERS = 8;

/**
 * The task with this id, or the only one whose id begins with it.
 *
 * @throws StepwellError `TASK_NOT_FOUND`; `USAGE` when several tasks begin so
 */
export async function findTask(tasks: TaskCommands, idOrPrefix: string): Promise<TaskDetail> {
  const prefix = idOrPrefix.toLowerCase();
  const exact = await tasks.get(prefix);
  if (exact !== undefined) return exact;
  const [only, another] = prefix === "" ? [] : await tasksWithPrefix(tasks, prefix);
  if (only === undefined) {
    throw new StepwellError("TASK_NOT_FOUND", `There is no task ${idOrPrefix}`, { hint: "stepwell tasks list shows what is open." });
  }
  if (another === undefined) return only;
  throw new StepwellError("USAGE", `Several tasks begin with ${idOrPrefix}: ${only.id}, ${another.id}, …`, {
    hint: "Write more of the id.",
  });
}

/** Up to a page; tasks are read oldest first, so those behind the prefix's time end the search. */
async function tasksWithPrefix(tasks: TaskCommands, prefix: string): Promise<readonly TaskDetail[]> {
  const found: TaskDetail[] = [];
  const latest = prefix.slice(0, TIME_CHARACTERS);
  let cursor: string | undefined;
  do {
    const page = await tasks.list({ limit: PAGE, ...(cursor !== undefined && { cursor }) });
    found.push(...page.tasks.filter(({ id }) => id.startsWith(prefix)));
    const newest = page.tasks.at(-1)?.id.slice(0, latest.length);
    if (found.length > 1 || (newest !== undefined && newest > latest)) break;
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}
