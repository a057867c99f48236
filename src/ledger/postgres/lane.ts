import type { Client } from "pg";
import { invariant, StepwellError } from "../../model/errors.ts";
import { matchKeptEvents } from "../events.ts";
import type { InboxRow } from "../rows.ts";
import { SqlTransaction } from "../sql/transaction.ts";
import { follow } from "../work.ts";
import type { Batch, CommitOutcome, InsertSubscription, Unit } from "../writes.ts";
import { type Connections, prepared } from "./connections.ts";
import { BatchEncoder } from "./encode-batch.ts";
import { isUnknownOutcome } from "./errors.ts";
import { FUNCTIONS, SERVER_TIME } from "./functions.ts";
import { eventLock, PostgresConnection, postedRows } from "./postgres-connection.ts";

const COMMIT = `SELECT outcome, now, missed, posted FROM ${FUNCTIONS.commit}(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`;
/** Takes the token past those of a batch that may still be on its way, and tells whether it has arrived. */
const RESOLVE = `UPDATE lane AS l SET token = ?3 FROM (SELECT token FROM lane WHERE epoch = ?1 AND number = ?2 FOR UPDATE) AS before
  WHERE l.epoch = ?1 AND l.number = ?2 RETURNING before.token AS token, ${SERVER_TIME} AS now`;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

/** What the lanes of a ledger share. */
export interface LaneHost {
  readonly connections: Connections;
  /** The time to stamp, where it is not the server's that counts; null for the server's. */
  exactTime(): number | null;
  /** No commit is stamped with an earlier time. */
  readonly floor: number;
  told(now: number): void;
  /** What a commit put into inboxes is not known: they are to be read. */
  lookAtInboxes(): void;
  /** The database does not answer, and is asked again after so many milliseconds. */
  waiting(error: StepwellError, retryInMs: number): Promise<void>;
}

interface Sent {
  readonly outcome: "committed" | "missed" | "fenced";
  readonly now: number;
  /** Positions among the units that were sent. */
  readonly missed: readonly number[];
  readonly posted: readonly InboxRow[];
}

/** A connection with one batch in flight. */
export class Lane {
  readonly #host: LaneHost;
  readonly #number: number;
  readonly #encoder = new BatchEncoder();
  #client: Client | undefined;
  #token = 0;

  constructor(host: LaneHost, number: number) {
    this.#host = host;
    this.#number = number;
  }

  /** @throws StepwellError `LEDGER_CONFLICT` with the index of the first unit that breaks a guard or a constraint */
  async commit({ epoch, units }: Batch): Promise<CommitOutcome> {
    const from = this.#token + 1;
    try {
      return isInOrder(units) ? await this.#together(epoch, units) : await this.#oneByOne(epoch, units);
    } catch (cause) {
      const error = this.#host.connections.coded(cause);
      if (isUnknownOutcome(error)) return this.#resolve({ epoch, units }, from, error);
      await this.#rollBack();
      if (!isConflict(error) || units.length === 1) throw withUnit(error, units, 0);
      return this.#oneByOne(epoch, units);
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }

  /** All units that did not miss in one call, usually all of them. */
  async #together(epoch: number, units: readonly Unit[]): Promise<CommitOutcome> {
    const missed = new Set<number>();
    for (;;) {
      const kept = [...units.keys()].filter((index) => !missed.has(index));
      const sent = await this.#inTransaction(epoch, units, kept);
      if (sent.outcome === "fenced") return { outcome: "fenced" };
      if (sent.outcome === "committed")
        return this.#committed(
          sent,
          [...missed].toSorted((a, b) => a - b),
        );
      for (const position of sent.missed) missed.add(kept[position] ?? -1);
    }
  }

  #committed({ now, posted }: Sent, missed: readonly number[]): CommitOutcome {
    this.#host.told(now);
    return { outcome: "committed", now, missed, accepted: posted };
  }

  /** A batch that subscribes to events gives them those that were kept, in the same transaction. */
  async #inTransaction(epoch: number, units: readonly Unit[], kept: readonly number[]): Promise<Sent> {
    const sent = kept.map((index) => units[index]).filter((unit) => unit !== undefined);
    const subscribed = subscriptionsOf(sent);
    if (subscribed.length === 0) return this.#send(epoch, sent, subscribed);
    const client = await this.#connected();
    await client.query("BEGIN");
    const result = await this.#send(epoch, sent, subscribed);
    const accepted = result.outcome === "committed" ? await matched(client, epoch, subscribed, result.now) : [];
    await client.query(result.outcome === "committed" ? "COMMIT" : "ROLLBACK");
    return { ...result, posted: [...result.posted, ...accepted] };
  }

  /** The careful way: one unit after the other in one transaction, so that it is known which one is to blame. */
  async #oneByOne(epoch: number, units: readonly Unit[]): Promise<CommitOutcome> {
    const client = await this.#connected();
    const missed: number[] = [];
    const posted: InboxRow[] = [];
    let now = 0;
    await client.query("BEGIN");
    for (const [index, unit] of units.entries()) {
      const sent = await this.#send(epoch, [unit], index === 0 ? subscriptionsOf(units) : []).catch(async (cause: unknown) => {
        const error = this.#host.connections.coded(cause);
        if (!isUnknownOutcome(error)) await client.query("ROLLBACK");
        throw withUnit(error, units, index);
      });
      if (sent.outcome === "fenced") {
        await client.query("ROLLBACK");
        return { outcome: "fenced" };
      }
      if (sent.outcome === "missed") missed.push(index);
      else now = sent.now;
      posted.push(...sent.posted);
    }
    const subscribed = subscriptionsOf(units.filter((_, index) => !missed.includes(index)));
    if (subscribed.length > 0) posted.push(...(await matched(client, epoch, subscribed, now)));
    await client.query("COMMIT");
    return this.#committed({ outcome: "committed", now, missed, posted }, missed);
  }

  async #send(epoch: number, units: readonly Unit[], subscribed: readonly InsertSubscription[]): Promise<Sent> {
    const client = await this.#connected();
    const known = units.filter(({ inboxSeq }) => inboxSeq !== null);
    const targets = targetsOf(units);
    const { stages, numbers, texts } = this.#encoder.encode(units);
    const { rows } = await client.query<Record<string, unknown>>({
      ...prepared(COMMIT),
      values: [
        epoch,
        this.#number,
        ++this.#token,
        this.#host.exactTime(),
        this.#host.floor,
        subscribed.map(eventLock),
        known.map(({ runId }) => runId),
        known.map(({ inboxSeq }) => inboxSeq),
        targets,
        stages,
        numbers,
        texts,
      ],
    });
    return sentOf(rows[0] ?? {}, units, known);
  }

  async #connected(): Promise<Client> {
    this.#client ??= await this.#host.connections.dedicated();
    return this.#client;
  }

  async #rollBack(): Promise<void> {
    await this.#client?.query("ROLLBACK");
  }

  /**
   * The connection was lost on the way. Nothing is guessed: a new one takes the lane's token on, which waits for a transaction that is
   * still at work and bars one that has yet to begin, and tells whether the batch is there.
   */
  async #resolve(batch: Batch, from: number, lost: unknown): Promise<CommitOutcome> {
    const found = await this.#askForToken(batch.epoch, lost);
    if (found === undefined) return { outcome: "fenced" };
    if (Number(found["token"]) < from) return this.commit(batch);
    this.#host.lookAtInboxes();
    return this.#committed({ outcome: "committed", now: Number(found["now"]), missed: [], posted: [] }, []);
  }

  /** Until the server answers; undefined when the worker has been fenced. */
  async #askForToken(epoch: number, lost: unknown): Promise<Record<string, unknown> | undefined> {
    let error = lost;
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)) {
      const client = this.#client;
      this.#client = undefined;
      // its end is not waited for: the server may be out of reach
      client?.end().catch(() => undefined);
      if (!(error instanceof StepwellError) || !isUnknownOutcome(error) || this.#host.connections.isClosed) throw error;
      if (error !== lost) await this.#host.waiting(error, retryMs);
      try {
        const connected = await this.#connected();
        const values = [epoch, this.#number, ++this.#token];
        return (await connected.query<Record<string, unknown>>({ ...prepared(RESOLVE), values })).rows[0];
      } catch (cause) {
        error = this.#host.connections.coded(cause);
      }
    }
  }
}

function sentOf(row: Record<string, unknown>, units: readonly Unit[], known: readonly Unit[]): Sent {
  const { outcome, now, missed, posted } = row;
  invariant(outcome === "committed" || outcome === "missed" || outcome === "fenced", "the function tells an outcome");
  const positions = (Array.isArray(missed) ? missed : []).map((position) => known[Number(position)]).filter((unit) => unit !== undefined);
  return { outcome, now: Number(now ?? 0), missed: positions.map((unit) => units.indexOf(unit)), posted: postedRows(posted) };
}

async function matched(
  client: Client,
  epoch: number,
  subscribed: readonly InsertSubscription[],
  now: number,
): Promise<readonly InboxRow[]> {
  return follow(matchKeptEvents(new SqlTransaction(new PostgresConnection(client, epoch), now), subscribed));
}

/** Whether no unit is of a run that an earlier one has sent something: that must miss it. */
function isInOrder(units: readonly Unit[]): boolean {
  const targets = new Set(targetsOf(units));
  return targets.size === 0 || !units.some(({ runId }, index) => index > 0 && targets.has(runId));
}

const subscriptionsOf = (units: readonly Unit[]): readonly InsertSubscription[] =>
  units.flatMap(({ writes }) => writes.filter((write) => write.write === "insertSubscription"));
const targetsOf = (units: readonly Unit[]): readonly number[] =>
  units.flatMap(({ writes }) => writes.filter((write) => write.write === "postInbox").map(({ targetRunId }) => targetRunId));

const isConflict = (error: unknown): boolean => error instanceof StepwellError && error.code === "LEDGER_CONFLICT";

function withUnit(error: unknown, units: readonly Unit[], index: number): unknown {
  if (!(error instanceof StepwellError) || !isConflict(error)) return error;
  return new StepwellError(error.code, error.message, {
    data: { ...error.data, unit: index, runId: units[index]?.runId ?? null },
    cause: error,
  });
}
