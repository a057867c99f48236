import type { Admission, Gather } from "../../model/admission.ts";
import { isJsonObject, type Json, parseJson } from "../../model/json.ts";
import { LIMITS } from "../../model/limits.ts";
import type { Enqueued, QueuedRun } from "../port.ts";
import { queuedRun } from "../queued-run.ts";
import type { Transaction } from "../transaction.ts";
import type { Work } from "../work.ts";
import type { GatheringRow } from "./rows.ts";

/** Under what the starts of a run are collected; null when they are not. */
export function gatherOf({ admission }: Pick<QueuedRun, "admission">): Gather | null {
  // nobody but the engine writes it
  return admission === null ? null : (JSON.parse(admission) as Admission).gather;
}

/**
 * One start of those that are collected: it joins the run that has not been admitted yet, or is the first of another one. Admission is held
 * meanwhile, so that none is admitted while it is joined.
 *
 * @param takeRunId gives the number of a new run
 */
export function* gatherStart(transaction: Transaction, run: QueuedRun, gather: Gather, takeRunId: () => Work<number>): Work<Enqueued> {
  yield* transaction.hold({ admission: true });
  const { admission: tables, now } = transaction;
  const { tenant } = run;
  const open = yield* tables.gathering(tenant, gather.id);
  const joined = open === undefined ? undefined : yield* join(transaction, open, run.input, gather);
  if (joined !== undefined) return { publicId: joined, created: false };
  const runId = yield* takeRunId();
  const items = gather.mode === "append" ? 1 : 0;
  const [insert, note] = queuedRun({ ...run, input: items === 0 ? run.input : JSON.stringify({ items: [parseJson(run.input)] }) }, runId);
  const dueAt = dueOf(gather, { firstAt: now, items }, now);
  yield* transaction.apply(insert);
  yield* transaction.apply({ ...note, dueInMs: dueAt - now });
  yield* tables.put("gathering", [{ tenant, name: gather.id, runId, firstAt: now, items }]);
  return { publicId: run.publicId, created: true };
}

/** The id of the run that the start has joined; undefined when it has no room for it, or will not begin any more. */
function* join({ admission: tables, now }: Transaction, open: GatheringRow, input: string, gather: Gather): Work<string | undefined> {
  const items = open.items === 0 ? 0 : open.items + 1;
  const before = items === 0 ? undefined : yield* tables.gathered(open.runId);
  const joined = before === undefined ? input : JSON.stringify({ items: [...itemsOf(parseJson(before)), parseJson(input)] });
  const isTooLarge = Buffer.byteLength(joined) > LIMITS.payloadBytes;
  const publicId = yield* tables.regather(
    open.runId,
    isTooLarge ? null : joined,
    isTooLarge ? now : dueOf(gather, { ...open, items }, now),
  );
  if (publicId !== undefined && !isTooLarge) {
    yield* tables.put("gathering", [{ ...open, items }]);
    return publicId;
  }
  yield* tables.drop("gathering", [open]);
  return undefined;
}

function itemsOf(input: Json): readonly Json[] {
  const items: Json | undefined = isJsonObject(input) ? input["items"] : null;
  const list: readonly Json[] = Array.isArray(items) ? items : [];
  return list;
}

/** When its time has come. */
function dueOf(
  { mode, delayMs, maxDelayMs, maxItems }: Gather,
  { firstAt, items }: Pick<GatheringRow, "firstAt" | "items">,
  now: number,
): number {
  if (mode === "append") return maxItems !== null && items >= maxItems ? now : firstAt + delayMs;
  return maxDelayMs === null ? now + delayMs : Math.min(now + delayMs, firstAt + maxDelayMs);
}
