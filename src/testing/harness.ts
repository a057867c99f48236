import type { LifecycleEvent, RunOutcome } from "../engine/api.ts";
import type { Ledger } from "../ledger/port.ts";
import { Stepwell, type StepwellOptions } from "../main/stepwell.ts";
import type { Operator } from "../operators/operator.ts";
import type { Definition } from "../workflow/graph.ts";

/** Opens the ledger of one test; a second call opens the same ledger again, as a new engine would. */
export type OpenLedger = () => Promise<Ledger>;

/** An engine with everything that it told its listeners. */
export class Harness {
  readonly stepwell: Stepwell;
  readonly events: LifecycleEvent[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(ledger: Ledger, options: Omit<StepwellOptions, "ledger"> = {}) {
    this.stepwell = new Stepwell({ ...options, ledger });
    this.stepwell.listen((event) => {
      this.events.push(event);
      for (const watcher of [...this.#watchers]) watcher();
    });
  }

  /** Registers a definition, starts a run of it and waits for its end. */
  async run(definition: Definition, input: unknown = {}): Promise<RunOutcome> {
    return this.stepwell.result(await this.start(definition, input));
  }

  async start(definition: Definition, input: unknown = {}): Promise<string> {
    await this.stepwell.register(definition);
    return this.stepwell.start(String(definition["name"]), input);
  }

  /** Resolves with the first event, past or coming, that the predicate accepts. */
  async event(accepts: (event: LifecycleEvent) => boolean): Promise<LifecycleEvent> {
    for (;;) {
      const found = this.events.find((event) => accepts(event));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const watcher = (): void => {
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
    }
  }

  stepStarted(step: string, attempt = 1): Promise<LifecycleEvent> {
    return this.event((event) => event.type === "step.started" && event.step === step && event.attempt === attempt);
  }

  /** The final status of every step of a run, by id. */
  async statuses(runId: string): Promise<Readonly<Record<string, string>>> {
    const run = await this.stepwell.get(runId);
    return Object.fromEntries((run?.steps ?? []).map((step) => [step.id, step.status]));
  }
}

/** A promise with its switch outside: an operator that waits on it ends when the test says so. */
export class Gate {
  readonly opened: Promise<void>;
  #open: () => void = () => undefined;
  #arrivals = 0;
  #arrived: (() => void)[] = [];

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }

  /** An operator that waits here; it gives its input back. */
  readonly operator: Operator = async (input) => {
    this.#arrivals += 1;
    for (const arrived of this.#arrived.splice(0)) arrived();
    await this.opened;
    return input;
  };

  /** Resolves when `count` operators have arrived. */
  async arrivals(count: number): Promise<void> {
    while (this.#arrivals < count) await new Promise<void>((resolve) => this.#arrived.push(resolve));
  }
}
