import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { query } from "../../test/fixtures/postgres/new-database.ts";

/** What a PostgreSQL server has used, for whoever it worked. */
export interface ServerUsage {
  /** Of all its processes; null where it runs elsewhere. */
  readonly cpuSeconds: number | null;
  readonly walBytes: number;
  /** Transactions that wrote something. */
  readonly commits: number;
}

export const serverUsageShape: z.ZodType<ServerUsage> = z.object({
  cpuSeconds: z.number().nullable(),
  walBytes: z.number(),
  commits: z.number(),
});

/** `clock ticks` of /proc, which are hundredths of a second on every Linux that is met. */
const TICKS_PER_SECOND = 100;
// transaction ids are counted, not what the statistics tell: these come up to a second late
const READING = `SELECT pg_current_wal_insert_lsn() - '0/0' AS wal, pg_snapshot_xmax(pg_current_snapshot())::text AS next_id,
  split_part(pg_read_file('postmaster.pid'), chr(10), 1) AS pid`;

/** Starts to measure; call the result to end it. */
export async function startServerMeter(url: string): Promise<() => Promise<ServerUsage>> {
  const before = await read(url);
  return async () => {
    const after = await read(url);
    return {
      cpuSeconds: before.ticks === null || after.ticks === null ? null : (after.ticks - before.ticks) / TICKS_PER_SECOND,
      walBytes: after.wal - before.wal,
      commits: after.nextId - before.nextId,
    };
  };
}

async function read(url: string): Promise<{ readonly wal: number; readonly nextId: number; readonly ticks: number | null }> {
  const [row] = await query(url, READING);
  return { wal: Number(row?.["wal"]), nextId: Number(row?.["next_id"]), ticks: ticksOf(Number(row?.["pid"])) };
}

/** Of the server's first process, those that it started, and those of them that have ended. */
function ticksOf(server: number): number | null {
  const own = statOf(server);
  if (own === undefined) return null;
  let ticks = own.ended + own.ticks;
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat?.parent === server) ticks += stat.ticks;
  }
  return ticks;
}

function statOf(pid: number): { readonly parent: number; readonly ticks: number; readonly ended: number } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // behind the program's name, which may hold blanks: the state is the third field
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [, parent = 0] = fields;
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
  return { parent, ticks: user + system, ended: endedUser + endedSystem };
}
