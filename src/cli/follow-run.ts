import type { LifecycleEvent } from "../engine/api.ts";
import type { Stepwell } from "../main/stepwell.ts";
import type { RunReason } from "../model/status.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Progress } from "./progress.ts";

/** Why following a run came to its end. `held`: only somebody outside can resume the run. */
export type Ending =
  | { readonly kind: "ended" }
  | { readonly kind: "held"; readonly reason: RunReason }
  | { readonly kind: "interrupted"; readonly signal: InterruptSignal };

type InterruptSignal = "SIGINT" | "SIGTERM";

const HELD: ReadonlySet<RunReason> = new Set<RunReason>(["no_worker", "quarantined", "paused"]);

/**
 * Shows a run until it ends, is held, or the process is told to stop.
 *
 * @param isReleased somebody has just let the run go on, should it have been held
 * @throws StepwellError what stops the engine, or breaks the run in it
 */
export async function followRun(
  stepwell: Stepwell,
  runId: string,
  feed: EventFeed,
  progress: Progress,
  isReleased: boolean,
): Promise<Ending> {
  const held = Promise.withResolvers<Ending>();
  feed.follow(runId, (event, at) => {
    progress.event(event, at);
    const reason = reasonHeld(event);
    if (reason !== undefined) held.resolve({ kind: "held", reason });
  });
  const interrupt = onInterrupt();
  try {
    const ended = stepwell.result(runId).then((): Ending => ({ kind: "ended" }));
    const standing = await stepwell.get(runId);
    // Nobody takes a quarantined run up, so no event will say so; one that was just released is about to leave that state.
    if (!isReleased && standing?.status === "SUSPENDED" && standing.reason === "quarantined")
      held.resolve({ kind: "held", reason: "quarantined" });
    return await Promise.race([ended, held.promise, interrupt.happened]);
  } finally {
    interrupt.forget();
  }
}

function reasonHeld(event: LifecycleEvent): RunReason | undefined {
  return event.type === "run.suspended" && HELD.has(event.reason) ? event.reason : undefined;
}

/** The first Ctrl-C is ours; from then on it means what it always means, so a second one ends the process at once. */
function onInterrupt(): { readonly happened: Promise<Ending>; readonly forget: () => void } {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const listeners = (["SIGINT", "SIGTERM"] as const).map((signal) => {
    const listener = (): void => {
      resolve({ kind: "interrupted", signal });
    };
    process.once(signal, listener);
    return () => process.off(signal, listener);
  });
  const forget = (): void => {
    for (const remove of listeners) remove();
  };
  return { happened: promise, forget };
}
