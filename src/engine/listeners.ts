import type { LifecycleEvent, Listener } from "./api.ts";
import { recordError } from "./recorded-error.ts";
import { outsideRuns } from "./run-context.ts";

/** Tells every listener, outside the run that the event is about; one that fails, at once or later, is reported and disturbs nobody. */
export function tellListeners(listeners: ReadonlySet<Listener>, event: LifecycleEvent): void {
  for (const listener of listeners) {
    try {
      const returned: unknown = outsideRuns(() => listener(event));
      if (returned instanceof Promise) returned.catch((cause: unknown) => warn(event, cause));
    } catch (cause) {
      warn(event, cause);
    }
  }
}

function warn({ type }: LifecycleEvent, cause: unknown): void {
  process.emitWarning(`a listener failed on ${type}: ${recordError(cause).message}`);
}
