/** What the thread of `HeartThread` does. */
import { type MessagePort, parentPort } from "node:worker_threads";
import { Connections } from "./connections.ts";
import { ConnectedHeart } from "./heart.ts";
import type { FromHeart, ToHeart } from "./heart-thread.ts";
import { placeOf } from "./settings.ts";

/** For so many leases the runs of an event loop that stands still are kept. */
const PATIENCE = 5;

async function beatFor(port: MessagePort, url: string): Promise<void> {
  const tell = (message: FromHeart): void => port.postMessage(message);
  let attendedUntil = Number.POSITIVE_INFINITY;
  let patienceMs = 0;
  const heart = new ConnectedHeart(await Connections.open(placeOf(url), 0), () => performance.now() < attendedUntil);
  port.on("message", (message: ToHeart) => {
    if (message.type === "beat") {
      patienceMs = message.terms.leaseMs * PATIENCE;
      heart.beat(message.terms, { held: () => tell("held"), lost: () => tell("lost") });
    }
    attendedUntil = performance.now() + patienceMs;
  });
  tell("ready");
}

const main = parentPort;
main?.once("message", (message: ToHeart) => {
  if (message.type === "start") void beatFor(main, message.url);
});
