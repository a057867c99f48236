import { DEFAULT_GROUP } from "../placement.ts";
import { type Brief, fixed, NOTHING, NOW, REVISION, type WriteOf } from "./description.ts";

/** What most runs have nothing to do with. */
const WITHOUT_PARENT = {
  parent_run_id: NOTHING,
  parent_step: NOTHING,
  parent_ordinal: NOTHING,
  depth: fixed(0),
  root_run_id: NOTHING,
} as const;

export const BRIEF_RUN: readonly Brief<WriteOf<"insertRun">>[] = [
  {
    // called through the API, starts at once
    set: {
      ...WITHOUT_PARENT,
      tenant: fixed("default"),
      initiator: fixed("api"),
      trigger: fixed("call"),
      status: fixed("RUNNING"),
      labels: NOTHING,
      idempotency_scope: NOTHING,
      idempotency_key: NOTHING,
      idempotency_hash: NOTHING,
      deadline_at: NOTHING,
      worker_group: fixed(DEFAULT_GROUP),
      admission: NOTHING,
      slots: NOTHING,
      started_revision: REVISION,
      started_at: NOW,
    },
    when: (write) =>
      write.status === "RUNNING" &&
      write.parent === null &&
      write.labels === null &&
      write.idempotencyKey === null &&
      write.deadlineInMs === null &&
      write.tenant === "default" &&
      write.workerGroup === DEFAULT_GROUP &&
      write.admission === null &&
      write.slots === null &&
      write.initiator === "api" &&
      write.trigger === "call",
  },
  { set: WITHOUT_PARENT, when: (write) => write.parent === null },
];

const AS_IT_SHOULD = { reason: NOTHING, error: NOTHING } as const;
const endsAsItShould = (write: { readonly reason: string | null; readonly error: string | null }): boolean =>
  write.reason === null && write.error === null;

export const BRIEF_END: readonly Brief<WriteOf<"endRun">>[] = [
  { set: { ...AS_IT_SHOULD, output: NOTHING, result_crc: NOTHING }, when: (write) => endsAsItShould(write) && write.output === null },
  { set: AS_IT_SHOULD, when: endsAsItShould },
];

/** The version knows the run's own steps. */
const OF_THE_ROOT = { kind: fixed("step"), path: NOTHING, uses: NOTHING, parent: NOTHING } as const;

/** The first attempt of a step begins. */
const BEGINS = {
  status: fixed("RUNNING"),
  reason: NOTHING,
  attempt: fixed(1),
  failures: fixed(0),
  selected: NOTHING,
  output: NOTHING,
  error: NOTHING,
  result_crc: NOTHING,
  idempotency_key: NOTHING,
  started_revision: REVISION,
  attempt_revision: REVISION,
  started_at: NOW,
  attempt_started_at: NOW,
  finished_at: NOTHING,
} as const;

const begins = (write: WriteOf<"insertStep">): boolean =>
  write.status === "RUNNING" &&
  write.reason === null &&
  write.attempt === 1 &&
  write.failures === 0 &&
  write.selected === null &&
  write.output === null &&
  write.error === null &&
  write.idempotencyKey === null;
const isOfTheRoot = (write: WriteOf<"insertStep">): boolean => write.path === null && write.kind === "step" && write.parent === null;

export const BRIEF_STEP: readonly Brief<WriteOf<"insertStep">>[] = [
  { set: { ...BEGINS, ...OF_THE_ROOT }, when: (write) => begins(write) && isOfTheRoot(write) },
  { set: BEGINS, when: begins },
  { set: OF_THE_ROOT, when: isOfTheRoot },
];

/** With its first attempt and as it should. */
export const BRIEF_SETTLEMENT: readonly Brief<WriteOf<"settleStep">>[] = [
  { set: { ...AS_IT_SHOULD, failures: fixed(0) }, when: (write) => endsAsItShould(write) && write.failures === 0 },
];
