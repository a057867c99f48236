import type { LedgerWrite } from "../own-writes.ts";
import { insertNote, requeueRun } from "./admission-writes.ts";
import type { HotWrite, WriteKind, WriteOf } from "./description.ts";
import {
  deleteEventKeys,
  deleteKeptEvent,
  deleteSubscription,
  deleteSubscriptions,
  insertEventKey,
  insertKeptEvent,
  insertSubscription,
  settleKeptEvent,
} from "./event-writes.ts";
import {
  endRun,
  insertAttempt,
  insertEvent,
  insertRun,
  insertStep,
  pauseRun,
  restartStep,
  resumeStep,
  settleStep,
  startRun,
  suspendRun,
  suspendStep,
} from "./hot-writes.ts";
import { archiveAttempt, deleteStep, reopenRun, reopenStep } from "./reopen-writes.ts";
import { closeTask, insertTask, updateTask } from "./task-writes.ts";
import { consumeInbox, countInbox, deleteWait, insertInbox, insertWait } from "./waiting-writes.ts";

/** One executor for each kind of write. */
export type Executors = { readonly [K in WriteKind]: (write: WriteOf<K>, now: number) => void };

/** What every write has, whatever its kind. */
export interface AnyWrite {
  readonly write: WriteKind;
  readonly runId?: number;
}

/** Makes the executor of each kind from its description. */
export function executorsBy(make: <W extends AnyWrite>(description: HotWrite<W>) => (write: W, now: number) => void): Executors {
  return {
    insertRun: make(insertRun),
    startRun: make(startRun),
    suspendRun: make(suspendRun),
    endRun: make(endRun),
    pauseRun: make(pauseRun),
    insertStep: make(insertStep),
    restartStep: make(restartStep),
    resumeStep: make(resumeStep),
    suspendStep: make(suspendStep),
    settleStep: make(settleStep),
    insertAttempt: make(insertAttempt),
    insertEvent: make(insertEvent),
    insertWait: make(insertWait),
    deleteWait: make(deleteWait),
    consumeInbox: make(consumeInbox),
    insertSubscription: make(insertSubscription),
    deleteSubscriptions: make(deleteSubscriptions),
    deleteSubscription: make(deleteSubscription),
    insertKeptEvent: make(insertKeptEvent),
    insertEventKey: make(insertEventKey),
    settleKeptEvent: make(settleKeptEvent),
    deleteEventKeys: make(deleteEventKeys),
    deleteKeptEvent: make(deleteKeptEvent),
    insertTask: make(insertTask),
    closeTask: make(closeTask),
    updateTask: make(updateTask),
    reopenRun: make(reopenRun),
    reopenStep: make(reopenStep),
    deleteStep: make(deleteStep),
    archiveAttempt: make(archiveAttempt),
    requeueRun: make(requeueRun),
    insertNote: make(insertNote),
    postInbox: inOrder(make(countInbox), make(insertInbox)),
  };
}

function inOrder<W>(...parts: readonly ((write: W, now: number) => void)[]): (write: W, now: number) => void {
  return (write, now) => {
    for (const part of parts) part(write, now);
  };
}

type FrequentKind =
  | "settleStep"
  | "insertStep"
  | "insertRun"
  | "endRun"
  | "startRun"
  | "suspendRun"
  | "restartStep"
  | "suspendStep"
  | "resumeStep"
  | "insertAttempt"
  | "insertEvent"
  | "insertWait"
  | "deleteWait"
  | "consumeInbox"
  | "postInbox";

/** Hands a write to the executor of its kind; the most frequent kinds first. */
export function execute(executors: Executors, write: LedgerWrite, now: number): void {
  switch (write.write) {
    case "settleStep":
      return executors.settleStep(write, now);
    case "insertStep":
      return executors.insertStep(write, now);
    case "insertRun":
      return executors.insertRun(write, now);
    case "endRun":
      return executors.endRun(write, now);
    case "startRun":
      return executors.startRun(write, now);
    case "suspendRun":
      return executors.suspendRun(write, now);
    case "restartStep":
      return executors.restartStep(write, now);
    case "resumeStep":
      return executors.resumeStep(write, now);
    case "suspendStep":
      return executors.suspendStep(write, now);
    case "insertAttempt":
      return executors.insertAttempt(write, now);
    case "insertEvent":
      return executors.insertEvent(write, now);
    case "insertWait":
      return executors.insertWait(write, now);
    case "deleteWait":
      return executors.deleteWait(write, now);
    case "consumeInbox":
      return executors.consumeInbox(write, now);
    case "postInbox":
      return executors.postInbox(write, now);
    default:
      return executeSeldom(executors, write, now);
  }
}

function executeSeldom(executors: Executors, write: Exclude<LedgerWrite, WriteOf<FrequentKind>>, now: number): void {
  switch (write.write) {
    case "insertSubscription":
      return executors.insertSubscription(write, now);
    case "deleteSubscriptions":
      return executors.deleteSubscriptions(write, now);
    case "deleteSubscription":
      return executors.deleteSubscription(write, now);
    case "insertKeptEvent":
      return executors.insertKeptEvent(write, now);
    case "insertEventKey":
      return executors.insertEventKey(write, now);
    case "settleKeptEvent":
      return executors.settleKeptEvent(write, now);
    case "deleteEventKeys":
      return executors.deleteEventKeys(write, now);
    case "deleteKeptEvent":
      return executors.deleteKeptEvent(write, now);
    case "insertTask":
      return executors.insertTask(write, now);
    case "closeTask":
      return executors.closeTask(write, now);
    case "updateTask":
      return executors.updateTask(write, now);
    case "reopenRun":
      return executors.reopenRun(write, now);
    case "reopenStep":
      return executors.reopenStep(write, now);
    case "deleteStep":
      return executors.deleteStep(write, now);
    case "archiveAttempt":
      return executors.archiveAttempt(write, now);
    case "pauseRun":
      return executors.pauseRun(write, now);
    case "requeueRun":
      return executors.requeueRun(write, now);
    case "insertNote":
      return executors.insertNote(write, now);
  }
}
