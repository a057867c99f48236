import type { Template } from "../../expressions/template.ts";
import type { Gather, Limiter } from "../../model/admission.ts";
import type { GATHER_KINDS, LIMIT_KINDS } from "./fields.ts";

/** What a workflow says about when its runs begin. Keys and priority are evaluated when a run is started. */
export interface Flow {
  /** How much earlier than its start a run stands, milliseconds, or what gives it: a duration as text, or a number of seconds. */
  readonly priority: number | Template;
  /** In the order of the definition; at most `LIMITS.limitsPerWorkflow`. */
  readonly limits: readonly FlowLimit[];
  readonly gather: FlowGather | null;
}

export interface FlowLimit extends Omit<Limiter, "id"> {
  readonly kind: (typeof LIMIT_KINDS)[number];
  /** Which of its kind it is, from 0. */
  readonly index: number;
  /** Where it stands in the definition: `concurrency[1]`. */
  readonly path: string;
  /** Null: all runs of the workflow count together. */
  readonly key: Template | null;
}

export interface FlowGather extends Omit<Gather, "id"> {
  readonly kind: (typeof GATHER_KINDS)[number];
  /** Null: all starts of the workflow are collected together. */
  readonly key: Template | null;
}

/** Of every workflow that says nothing: known by its identity, so that its runs pay nothing. */
export const NO_FLOW: Flow = Object.freeze({ priority: 0, limits: Object.freeze([]), gather: null });
