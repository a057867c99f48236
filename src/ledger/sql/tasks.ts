import type { TaskPage, TaskQuery, Tasks } from "../port.ts";
import type { TaskRow } from "../rows.ts";
import { idAbove, taskPageOf } from "../run-page.ts";
import { taskOperations } from "../tasks.ts";
import { decodeTask } from "./decode-waiting.ts";
import { READS } from "./reads.ts";
import type { SqlBackend } from "./sql-backend.ts";

export function sqlTasks(backend: SqlBackend): Tasks {
  const list = async ({ tenant, status, topic, runId, visibleTo, cursor, limit }: TaskQuery): Promise<TaskPage> => {
    const groups = JSON.stringify(visibleTo?.groups ?? []);
    const filter = [tenant, idAbove(cursor), topic ?? null, runId ?? null, visibleTo?.user ?? null, groups, limit + 1];
    const found = status === undefined ? backend.rows(READS.tasks, ...filter) : backend.rows(READS.tasksByStatus, ...filter, status);
    return taskPageOf((await found).map(decodeTask), limit);
  };
  const get = async (tenant: string, publicId: string): Promise<TaskRow | undefined> =>
    (await backend.rows(READS.task, tenant, publicId)).map(decodeTask)[0];
  return { list, get, ...taskOperations((work) => backend.within(work)) };
}
