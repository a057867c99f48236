import type { Write } from "../../../src/ledger/writes.ts";

const LARGE_CHARACTERS = 1_000;

/** A process dies just before or just after a point. */
export const SIDES = ["before", "after"] as const;
export type Side = (typeof SIDES)[number];

export type WritePoint = "C01" | "C02" | "C03" | "C05" | "C07" | "C11" | "C12" | "C17" | "C19" | "C22" | "C23" | "C37";

/** Which points of the promises' list the commit of a write passes. */
export function pointsAt(write: Write): WritePoint[] {
  switch (write.write) {
    case "insertRun":
      return [
        "C01",
        ...(write.idempotencyKey === null ? [] : (["C02"] as const)),
        ...(write.status === "QUEUED" ? (["C03"] as const) : []),
      ];
    case "startRun":
      return ["C05"];
    case "suspendRun":
      return write.ownerEpoch === null ? ["C23"] : [];
    case "endRun":
      return ["C37"];
    case "insertStep":
      return write.status === "RUNNING" ? ["C07"] : write.status === "SUSPENDED" ? [] : ["C12"];
    case "restartStep":
    case "resumeStep":
      return ["C07"];
    case "settleStep":
      return (write.output?.length ?? 0) > LARGE_CHARACTERS ? ["C11", "C12"] : ["C12"];
    case "insertWait":
      return ["C17"];
    case "deleteWait":
      return ["C19"];
    case "consumeInbox":
      return ["C22"];
    default:
      return [];
  }
}
