import { StepwellError } from "../../model/errors.ts";
import { FIRST_RETRY_MS, longerRetryMs } from "../passing.ts";
import type { Connections } from "./connections.ts";
import { isUnknownOutcome } from "./errors.ts";

export interface AskingHost {
  readonly connections: Connections;
  /** Undefined once the worker has lost its lease or leaves. */
  readonly epoch: number | undefined;
  /** The database does not answer, and is asked again after so many milliseconds. */
  waiting(error: StepwellError, retryInMs: number): Promise<void>;
}

/**
 * Asks what became of something whose answer was lost, until the server answers; undefined when the worker has been fenced meanwhile, or has
 * taken itself for that.
 *
 * @param lost how the answer was lost
 * @throws StepwellError what `ask` raises, but that the server is out of reach
 */
export async function untilAnswered<T>(
  host: AskingHost,
  epoch: number,
  lost: StepwellError,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  for (let retryMs = FIRST_RETRY_MS, error = lost; ; retryMs = longerRetryMs(retryMs)) {
    if (error !== lost) await host.waiting(error, retryMs);
    if (host.epoch !== epoch) return undefined;
    try {
      return await ask();
    } catch (cause) {
      const coded = host.connections.coded(cause);
      if (!(coded instanceof StepwellError) || !isUnknownOutcome(coded)) throw coded;
      error = coded;
    }
  }
}
