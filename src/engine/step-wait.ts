import type { WaitKind, WaitRow } from "../ledger/rows.ts";
import type { Timer } from "../model/clock.ts";
import { isJsonObject, type Json, parseJson } from "../model/json.ts";
import type { AwaitedEvent, Suspension } from "../operators/suspension.ts";
import type { StepState, Woken } from "./step-state.ts";

/** Why a step is not going on, and what ends that. */
export interface StepWait {
  readonly kind: Exclude<WaitKind, "timeout">;
  readonly key: string | null;
  /** How long it lasts once it is on disk; null: `dueAt`, or time alone does not end it. */
  readonly delayMs: number | null;
  /** When it ends, on the ledger's clock; null before it is on disk, or when time does not end it. */
  dueAt: number | null;
  timer: Timer | null;
  readonly childRunId: number | null;
  readonly detail: WaitDetail;
}

/** What the engine must know again after a restart; it is stored with the wait. */
export interface WaitDetail {
  readonly onTimeout?: "fail" | "continue";
  readonly partial?: Json;
  readonly mode?: "any" | "all";
  readonly events?: readonly AwaitedEvent[];
  readonly close?: "cancel" | "abandon";
  /** A person decides whether a step that a crash left RUNNING begins again. */
  readonly confirms?: true;
  /** What the next round of a loop is given. */
  readonly carry?: Json;
  /** The wake that the operator's `resume` is being called with. */
  readonly woken?: Woken;
}

export const NO_DETAIL: WaitDetail = {};

/** What a step that waits for something else keeps of the wake that its operator has not used yet. */
export function wokenOf({ woken }: Pick<StepState, "woken">): WaitDetail {
  return woken === null ? NO_DETAIL : { woken };
}

export function detailText(detail: WaitDetail): string | null {
  return detail === NO_DETAIL ? null : JSON.stringify(detail);
}

export function detailOf({ request, partial, onTimeout }: Suspension): WaitDetail {
  const common = { ...(onTimeout === "fail" ? {} : { onTimeout }), ...(partial === null ? {} : { partial }) };
  switch (request.kind) {
    case "event":
      return { ...common, mode: request.mode, events: request.events };
    case "child":
      return { ...common, close: request.close ?? "cancel" };
    default:
      return Object.keys(common).length === 0 ? NO_DETAIL : common;
  }
}

/** The wait that a row of the ledger holds. */
export function restoreWait(row: WaitRow, kind: StepWait["kind"]): StepWait {
  const { key, dueAt, childRunId } = row;
  return { kind, key, delayMs: null, dueAt, timer: null, childRunId, detail: storedDetail(row) };
}

/** What `detailText` wrote. */
export function storedDetail({ detail }: Pick<WaitRow, "detail">): WaitDetail {
  const parsed = detail === null ? NO_DETAIL : parseJson(detail);
  return isJsonObject(parsed) ? parsed : NO_DETAIL;
}
