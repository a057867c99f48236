import type { TaskStatus } from "../../ledger/rows.ts";
import type { Json } from "../../model/json.ts";
import type { RunReason, RunStatus, StepStatus } from "../../model/status.ts";

/** Why a run stands where it stands, and what each of its unfinished steps waits for. */
export interface RunExplanation {
  readonly id: string;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly reason: RunReason | null;
  /** Who paused it; null while it is not paused. */
  readonly pausedBy: string | null;
  /** One sentence on the whole run. */
  readonly says: string;
  /** In declaration order, a block before what is open inside it. Empty for a run that has ended. */
  readonly steps: readonly StepExplanation[];
  /** Unfinished steps that are left out, because there are too many. */
  readonly more: number;
}

export interface StepExplanation {
  /** For example `lines[3].price`. */
  readonly step: string;
  readonly status: StepStatus;
  readonly waitsFor: WaitsFor;
  /** `waitsFor` as a sentence. */
  readonly says: string;
}

/** What a step waits for, by `kind`. Times are ISO 8601; null: no end is set. */
export type WaitsFor =
  /** Other steps. */
  | { readonly kind: "needs"; readonly steps: readonly string[] }
  /** Nothing but its turn: an engine, or a free place in one. */
  | { readonly kind: "queue" }
  /** A limit, or starts that are still collected. `ahead` runs stand before it, `limitedTo` may be at work at once, or begin in `periodMs`. */
  | {
      readonly kind: "turn";
      readonly ahead: number | null;
      readonly limit: string | null;
      readonly limitedTo: number | null;
      readonly periodMs: number | null;
      readonly until: string | null;
    }
  /** A worker of its group. */
  | { readonly kind: "no_group"; readonly group: string }
  | { readonly kind: "running"; readonly attempt: number; readonly maxAttempts: number; readonly since: string | null }
  /** Its own steps: items of a foreach, or rounds of a loop. `total` is null for a loop with a condition alone. */
  | ({ readonly kind: "items" } & ItemCounts)
  | { readonly kind: "rounds"; readonly round: number; readonly maxRounds: number }
  | { readonly kind: "delay"; readonly round: number; readonly maxRounds: number; readonly until: string | null }
  | { readonly kind: "timer"; readonly until: string | null }
  | {
      readonly kind: "retry";
      /** The attempt that follows. */
      readonly attempt: number;
      readonly maxAttempts: number;
      readonly until: string | null;
      readonly error: string | null;
    }
  | { readonly kind: "signal"; readonly name: string; readonly until: string | null }
  | { readonly kind: "event"; readonly mode: "any" | "all"; readonly events: readonly ExpectedEvent[]; readonly until: string | null }
  | {
      readonly kind: "task";
      readonly task: string;
      readonly title: string;
      readonly assignees: readonly string[];
      readonly groups: readonly string[];
      readonly until: string | null;
    }
  | {
      readonly kind: "work";
      readonly task: string;
      readonly topic: string;
      readonly status: TaskStatus;
      readonly worker: string | null;
      readonly until: string | null;
    }
  | { readonly kind: "child"; readonly run: string; readonly status: RunStatus | null; readonly reason: RunReason | null }
  | { readonly kind: "no_worker"; readonly operator: string }
  | { readonly kind: "paused"; readonly by: string }
  | { readonly kind: "quarantined" }
  /** What it waited for has come; the engine has not taken it up yet. */
  | { readonly kind: "wake" };

export interface ItemCounts {
  readonly done: number;
  readonly failed: number;
  readonly open: number;
  readonly total: number;
}

export interface ExpectedEvent {
  readonly event: string;
  readonly where: Readonly<Record<string, Json>>;
  readonly optional: boolean;
  readonly hasCome: boolean;
}
