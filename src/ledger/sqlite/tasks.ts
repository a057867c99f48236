import type { TaskPage, TaskQuery, Tasks } from "../port.ts";
import type { TaskRow } from "../rows.ts";
import { idAbove, taskPageOf } from "../run-page.ts";
import { decodeTask } from "../sql/decode-waiting.ts";
import { READS } from "../sql/reads.ts";
import { taskOperations } from "../tasks.ts";
import type { SqliteCommits } from "./commits.ts";
import type { SqliteSession } from "./session.ts";

export function sqliteTasks(session: SqliteSession, commits: SqliteCommits): Tasks {
  const list = async ({ tenant, status, topic, runId, visibleTo, cursor, limit }: TaskQuery): Promise<TaskPage> => {
    const groups = JSON.stringify(visibleTo?.groups ?? []);
    const filter = [tenant, idAbove(cursor), topic ?? null, runId ?? null, visibleTo?.user ?? null, groups, limit + 1];
    const rows = status === undefined ? session.all(READS.tasks, ...filter) : session.all(READS.tasksByStatus, ...filter, status);
    return taskPageOf(rows.map(decodeTask), limit);
  };
  const get = async (tenant: string, publicId: string): Promise<TaskRow | undefined> => {
    const row = session.get(READS.task, tenant, publicId);
    return row === undefined ? undefined : decodeTask(row);
  };
  return { list, get, ...taskOperations((work) => commits.within(work)) };
}
