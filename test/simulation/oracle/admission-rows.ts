import type { MemoryRow, MemoryTables } from "../../../src/ledger/memory/tables.ts";
import { SLOTS } from "../../../src/ledger/rows.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../../src/model/json.ts";

type Rows = Pick<MemoryTables, "all" | "find">;

/** What breaks the invariants of admission, as the checks of the SQL ledgers find it. */
export function brokenAdmission(rows: Rows): readonly string[] {
  return [...askingRuns(rows), ...partitions(rows), ...turns(rows), ...limiters(rows), ...slots(rows)];
}

function askingRuns(rows: Rows): readonly string[] {
  const entries = new Set([...rows.all("queue_entry")].map((entry) => entry["run_id"]));
  return [...rows.all("run")]
    .filter((run) => isForgotten(rows, run, entries))
    .map((run) => `run ${run["id"]} waits and is not in the queue`);
}

function isForgotten(rows: Rows, run: MemoryRow, entries: ReadonlySet<unknown>): boolean {
  const { id = null, slots: asked, status } = run;
  const isSomebodys = run["finished_at"] !== null || run["owner_epoch"] !== null || run["paused_by"] !== null;
  const hasNews = rows.find("inbox", { run_id: id }).some((row) => row["consumed_at"] === null && row["kind"] !== "signal");
  if (isSomebodys || hasNews) return false;
  if (asked === SLOTS.asked) return !isNoted(rows, run) && !entries.has(id);
  return status === "QUEUED";
}

const isNoted = (rows: Rows, run: MemoryRow): boolean => rows.find("admission_note", { run_id: run["id"] ?? null }).length > 0;

function* partitions(rows: Rows): Generator<string> {
  const known = new Set([...rows.all("limiter")].map((row) => row["id"]));
  for (const partition of rows.all("queue_partition")) {
    const { id = null, name, head } = partition;
    const ranks = rows.find("queue_entry", { partition_id: id }).map((entry) => Number(entry["rank"]));
    if (ranks.length === 0) yield `partition ${name} is empty`;
    else if (Math.min(...ranks) !== head) yield `partition ${name} begins at ${head}`;
    for (const limiter of limitersOf(partition)) if (!known.has(limiter)) yield `partition ${name} needs a limiter that is not there`;
    if (partition["aside_for"] !== null && !known.has(partition["aside_for"])) yield `partition ${name} stands aside for nothing`;
  }
}

function* turns(rows: Rows): Generator<string> {
  for (const turn of rows.all("turn")) {
    const isOfTurn = (row: MemoryRow): boolean => row["worker_group"] === turn["worker_group"] && row["tenant"] === turn["tenant"];
    const ready = [...rows.all("queue_partition")].filter((row) => isOfTurn(row) && row["aside_for"] === null).length;
    if (turn["ready"] !== ready) yield `tenant ${turn["tenant"]} has ${turn["ready"]} partitions ready, not ${ready}`;
  }
}

function* limiters(rows: Rows): Generator<string> {
  for (const { id, name, held, aside, partitions: needed } of rows.all("limiter")) {
    const counted = {
      slots: [...rows.all("slot")].filter((slot) => slot["limiter_id"] === id).length,
      aside: [...rows.all("queue_partition")].filter((row) => row["aside_for"] === id).length,
      partitions: [...rows.all("queue_partition")].filter((row) => limitersOf(row).includes(Number(id))).length,
    };
    if (held !== counted.slots) yield `limiter ${name} counts ${held} slots, not ${counted.slots}`;
    if (aside !== counted.aside) yield `limiter ${name} counts ${aside} partitions aside, not ${counted.aside}`;
    if (needed !== counted.partitions) yield `limiter ${name} counts ${needed} partitions, not ${counted.partitions}`;
  }
}

function* slots(rows: Rows): Generator<string> {
  for (const { limiter_id: limiter = null, run_id: runId = null, is_until_end: isUntilEnd } of rows.all("slot")) {
    const [run] = rows.find("run", { id: runId });
    const where = `a slot of limiter ${limiter} is held by run ${runId}`;
    if (rows.find("limiter", { id: limiter }).length === 0) yield `${where} and the limiter is not there`;
    if (run === undefined) yield `${where}, which is not there`;
    else if (isNoted(rows, run)) continue;
    else if (run["finished_at"] !== null) yield `${where}, which has ended`;
    else if (isUntilEnd === 0 && run["slots"] !== SLOTS.held) yield `${where}, which is not at work`;
  }
}

function limitersOf(partition: MemoryRow): readonly number[] {
  const limits = parseJson(String(partition["limits"]));
  if (!Array.isArray(limits)) return [];
  return limits.filter((limit): limit is JsonObject => isJsonObject(limit)).map((limit) => Number(limit["limiter"]));
}
