import type { InboxEntry, Ledger } from "../ledger/port.ts";
import type { InboxKind, InboxRow } from "../ledger/rows.ts";
import { parseDuration } from "../model/duration.ts";
import { StepwellError } from "../model/errors.ts";
import { toJson } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import type { PublishOptions, PublishResult, SignalOptions } from "./api.ts";
import { payloadText } from "./finish-output.ts";

export interface CommandHost {
  readonly ledger: Ledger;
  /** Of every run and caller of this engine. */
  readonly tenant: string;
  /** @throws StepwellError `ENGINE_STOPPED`, or what made the engine stop */
  expectOpen(): void;
  newId(): string;
  /** A row is in the inbox of a run: whoever drives it is told. */
  deliver(row: InboxRow): Promise<void>;
  /** Nobody needs to be woken any more for a run that may be QUEUED. */
  withdraw(publicId: string): void;
}

/** What is sent to runs from outside. Each is durable when it resolves, and takes effect in the order of acceptance. */
export class RunCommands {
  readonly #host: CommandHost;

  constructor(host: CommandHost) {
    this.#host = host;
  }

  /**
   * Ends a run: operators get their abort signal, nothing new starts.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_FINISHED`
   */
  async cancel(publicId: string, actor: string): Promise<void> {
    await this.#command(publicId, "cancel", actor);
    this.#host.withdraw(publicId);
  }

  /**
   * Holds a run: nothing of it starts and no wait of it ends until it is resumed. What executes is recorded when it ends.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_FINISHED`
   */
  pause(publicId: string, actor: string): Promise<void> {
    return this.#command(publicId, "pause", actor);
  }

  /**
   * Lets a run go on that was paused, or is held because it took down several engines; any other run goes on as it would.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_FINISHED`
   */
  resume(publicId: string, actor: string): Promise<void> {
    return this.#command(publicId, "resume", actor);
  }

  /**
   * Opens a FAILED run again: the steps that failed it get another attempt, and what fell with them is decided anew.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_NOT_FAILED`
   */
  async retry(publicId: string, actor: string): Promise<void> {
    this.#host.expectOpen();
    await this.#host.deliver(await this.#host.ledger.reopenRun(this.#host.tenant, publicId, actor));
  }

  /**
   * Sends a named signal. It is kept until the run waits for it; the same id again is the same signal.
   *
   * @throws StepwellError `RUN_NOT_FOUND`, `RUN_FINISHED`, `VALUE_NOT_JSON`, `VALUE_TOO_LARGE`
   */
  async signal(publicId: string, name: string, payload: unknown, { id, actor = "api" }: SignalOptions): Promise<void> {
    const checked = toJson(payload ?? null, `the payload of signal "${name}"`);
    payloadText(checked, `the payload of signal "${name}"`);
    refuseName("signal", name);
    if (id !== undefined && (id === "" || id.length > LIMITS.idempotencyKeyLength))
      throw new StepwellError("USAGE", `the id of a signal has 1 to ${LIMITS.idempotencyKeyLength} characters`);
    await this.#accept({ publicId, kind: "signal", name, payload: checked, actor, ...(id === undefined ? {} : { signalId: id }) });
  }

  /**
   * Publishes an event to every step that waits for it; one that nobody waits for is kept for the first who does.
   *
   * @throws StepwellError `VALUE_NOT_JSON`, `VALUE_TOO_LARGE`, `DURATION_INVALID`, `USAGE`
   */
  async publish(event: string, data: unknown, { id, retain = "24h" }: PublishOptions): Promise<PublishResult> {
    this.#host.expectOpen();
    refuseName("event", event);
    const checked = toJson(data ?? {}, `the data of event "${event}"`);
    payloadText(checked, `the data of event "${event}"`);
    const { tenant, ledger } = this.#host;
    const published = await ledger.events.publish({
      tenant,
      event,
      id: id ?? this.#host.newId(),
      data: checked,
      retainMs: parseDuration(retain),
    });
    for (const row of published.accepted) await this.#host.deliver(row);
    return { delivered: published.accepted.length, kept: published.isKept, duplicate: !published.isNew };
  }

  #command(publicId: string, kind: InboxKind, actor: string): Promise<void> {
    return this.#accept({ publicId, kind, payload: null, actor });
  }

  async #accept(entry: Omit<InboxEntry, "tenant">): Promise<void> {
    this.#host.expectOpen();
    const row = await this.#host.ledger.accept({ ...entry, tenant: this.#host.tenant });
    if (row.isAwaited && row.consumedAt === null) await this.#host.deliver(row);
  }
}

function refuseName(what: "signal" | "event", name: string): void {
  if (name !== "" && name.length <= LIMITS.idLength) return;
  throw new StepwellError("USAGE", `the name of ${what === "event" ? "an event" : `a ${what}`} has 1 to ${LIMITS.idLength} characters`);
}
