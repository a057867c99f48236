import type { LifecycleEvent } from "../engine/api.ts";

type Consumer = (event: LifecycleEvent, at: number) => void;

/** Keeps the events of an engine from its first moment until it is known which run is followed, then hands on that run's. */
export class EventFeed {
  readonly #kept: (readonly [event: LifecycleEvent, at: number])[] = [];
  #consumer: Consumer | undefined;

  readonly listener = (event: LifecycleEvent): void => {
    const at = Date.now();
    if (this.#consumer === undefined) this.#kept.push([event, at]);
    else this.#consumer(event, at);
  };

  follow(runId: string, consumer: Consumer): void {
    const follow: Consumer = (event, at) => {
      if (concerns(event, runId)) consumer(event, at);
    };
    this.#consumer = follow;
    for (const [event, at] of this.#kept.splice(0)) follow(event, at);
  }
}

function concerns(event: LifecycleEvent, runId: string): boolean {
  if ("run" in event) return event.run.id === runId;
  return event.type === "run.broken" ? event.runId === runId : true;
}
