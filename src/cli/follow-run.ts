import type { LifecycleEvent } from "../engine/api.ts";
import { needsOthers } from "../engine/explain/needs-others.ts";
import type { Ledger } from "../ledger/port.ts";
import type { Stepwell } from "../main/stepwell.ts";
import type { EventFeed } from "./event-feed.ts";
import { TENANT } from "./open-ledger.ts";
import type { Progress } from "./progress.ts";

/** Why following a run came to its end. `held`: only somebody outside can resume the run. */
export type Ending =
  | { readonly kind: "ended" }
  | { readonly kind: "held" }
  | { readonly kind: "interrupted"; readonly signal: InterruptSignal };

type InterruptSignal = "SIGINT" | "SIGTERM";

/** A deadline of a wait for others that is nearer than this is waited for. */
const SOON_MS = 60_000;
/** When to look again at a run that was sent something that it has not read yet. */
const UNREAD_MS = 50;
/** How often to look at a run that another engine may drive, of which nothing is heard here. */
const ELSEWHERE_MS = 1_000;

/**
 * Shows a run until it ends, until only somebody outside can resume it, or until the process is told to stop.
 *
 * @throws StepwellError what stops the engine, or breaks the run in it
 */
export async function followRun(stepwell: Stepwell, ledger: Ledger, runId: string, feed: EventFeed, progress: Progress): Promise<Ending> {
  const watch = new HeldWatch(ledger, runId);
  feed.follow(runId, (event, at) => progress.event(event, at));
  const deafen = stepwell.listen((event) => watch.heard(event));
  const interrupt = onInterrupt();
  try {
    const ended = stepwell.result(runId).then((): Ending => ({ kind: "ended" }));
    watch.look();
    return await Promise.race([ended, watch.held, interrupt.happened]);
  } finally {
    watch.end();
    deafen();
    interrupt.forget();
  }
}

/** Looks whenever a run is suspended, this one or one that it may have started, whether anything but others can move this one on. */
class HeldWatch {
  readonly held: Promise<Ending>;
  readonly #ledger: Ledger;
  readonly #runId: string;
  readonly #settle: PromiseWithResolvers<Ending>;
  #isLooking = false;
  #isToLookAgain = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(ledger: Ledger, runId: string) {
    this.#ledger = ledger;
    this.#runId = runId;
    this.#settle = Promise.withResolvers();
    this.held = this.#settle.promise;
    // a look that fails after the run has ended concerns nobody
    this.held.catch(() => undefined);
  }

  heard(event: LifecycleEvent): void {
    if (event.type === "run.suspended") this.look();
  }

  look(): void {
    if (this.#isOver) return;
    this.#isToLookAgain = true;
    if (!this.#isLooking) void this.#look();
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      while (this.#isToLookAgain && !this.#isOver) {
        this.#isToLookAgain = false;
        const answer = await needsOthers(this.#ledger, TENANT, this.#runId, SOON_MS);
        if (answer === "yes") this.#settle.resolve({ kind: "held" });
        else if (answer === "unread") this.#lookLater(UNREAD_MS);
        else if (this.#ledger.isShared) this.#lookLater(ELSEWHERE_MS);
      }
    } catch (error) {
      this.#settle.reject(error);
    } finally {
      this.#isLooking = false;
    }
  }

  #lookLater(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), afterMs).unref();
  }
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
