import type { QueueNews } from "../queue/port.ts";
import type { LifecycleEvent } from "./api.ts";
import { recordError } from "./recorded-error.ts";

/** What listeners are told of the queue. */
export function eventOf(news: QueueNews): LifecycleEvent {
  return news.type === "queue.resumed" ? news : { ...news, error: recordError(news.error) };
}
