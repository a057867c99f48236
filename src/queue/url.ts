import { redisPlaceOf } from "./bullmq/place.ts";
import { LEDGER_QUEUE } from "./ledger/ledger-queue.ts";
import type { Queue } from "./port.ts";

/** The name of the queue that needs no server. */
const LEDGER = "ledger";

/**
 * Opens the queue that is named: `ledger`, or `redis://…` and `rediss://…` for BullMQ on a Redis, whose code is loaded when it is asked for.
 *
 * @param isPatient a server that does not answer is waited for instead of refused
 * @throws StepwellError `USAGE`, `NOT_SUPPORTED`, `QUEUE_UNREACHABLE`, `QUEUE_UNSUPPORTED`
 */
export async function openQueue(url: string, isPatient = false): Promise<Queue> {
  if (url === LEDGER) return LEDGER_QUEUE;
  const { openBullQueue } = await import("./bullmq/bull-queue.ts");
  return openBullQueue({ url, isPatient });
}

/**
 * Refuses a name by which no queue could be opened, without asking anybody.
 *
 * @throws StepwellError `USAGE`
 */
export function checkQueueUrl(url: string): void {
  if (url !== LEDGER) redisPlaceOf(url);
}

/** For people and logs: without user and password. */
export function queueName(url: string): string {
  return url === LEDGER ? LEDGER : redisPlaceOf(url).name;
}
