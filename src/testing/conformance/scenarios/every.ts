import type { OpenLedger } from "../../harness.ts";
import { describeBranching } from "./branching.ts";
import { describeChildren } from "./children.ts";
import { describeContext } from "./context.ts";
import { describeControlling } from "./controlling.ts";
import { describeDeciding } from "./deciding.ts";
import { describeEnding } from "./ending.ts";
import { describeEnduring } from "./enduring.ts";
import { describeFailing } from "./failing.ts";
import { describeIntercepting } from "./intercepting.ts";
import { describeLimiting } from "./limiting.ts";
import { describePersisting } from "./persisting.ts";
import { describeRecovering } from "./recovering.ts";
import { describeRepeating } from "./repeating.ts";
import { describeRunning } from "./running.ts";
import { describeSharing } from "./sharing.ts";
import { describeTakingOver } from "./taking-over.ts";
import { describeUndoing } from "./undoing.ts";
import { describeWaiting } from "./waiting.ts";

/** What runs do from their start to their end, whatever ledger and queue their engines have. */
export function describeScenarios(open: () => Promise<OpenLedger>): void {
  describeRunning(open);
  describeFailing(open);
  describeControlling(open);
  describeRecovering(open);
  describeTakingOver(open);
  describeBranching(open);
  describeSharing(open);
  describeContext(open);
  describeEnding(open);
  describeEnduring(open);
  describeIntercepting(open);
  describeWaiting(open);
  describeUndoing(open);
  describeDeciding(open);
  describeRepeating(open);
  describeChildren(open);
  describePersisting(open);
  describeLimiting(open);
}

/** Those of them in which runs wait for room, come from others, change hands or end from outside: where a queue could make a difference. */
export function describeQueuedScenarios(open: () => Promise<OpenLedger>): void {
  describeRunning(open);
  describeControlling(open);
  describeTakingOver(open);
  describeSharing(open);
  describeEnding(open);
  describeEnduring(open);
  describeChildren(open);
  describeLimiting(open);
}
