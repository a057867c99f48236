import type { TaskQuery, Tasks } from "../port.ts";
import type { TaskRow } from "../rows.ts";
import { idAbove, taskPageOf } from "../run-page.ts";
import { decodeTask } from "../sql/decode-waiting.ts";
import { taskOperations } from "../tasks.ts";
import type { Within } from "../transaction.ts";
import type { MemoryTables } from "./tables.ts";
import type { MemoryViews } from "./views.ts";

export function memoryTasks(tables: MemoryTables, views: MemoryViews, within: Within): Tasks {
  const all = (): readonly TaskRow[] =>
    views
      .tasks(tables.all("task"))
      .map(decodeTask)
      .toSorted((a, b) => a.id - b.id);
  return {
    list: async (query) => {
      const tasks = all().filter((task) => task.id > idAbove(query.cursor) && isWanted(task, query));
      return taskPageOf(tasks, query.limit);
    },
    get: async (tenant, publicId) => all().find((task) => task.tenant === tenant && task.publicId === publicId),
    ...taskOperations(within),
  };
}

function isWanted(task: TaskRow, { tenant, status, topic, runId, visibleTo }: TaskQuery): boolean {
  const { assignees, groups } = task;
  const isMine =
    visibleTo === undefined ||
    (assignees.length === 0 && groups.length === 0) ||
    assignees.includes(visibleTo.user) ||
    groups.some((group) => visibleTo.groups.includes(group));
  const isOf = task.tenant === tenant && (status ?? task.status) === task.status && (topic ?? task.topic) === task.topic;
  return isMine && isOf && (runId ?? task.run) === task.run;
}
