import type { Client } from "pg";
import { invariant, StepwellError } from "../../model/errors.ts";
import { matchKeptEvents } from "../events.ts";
import type { InboxRow } from "../rows.ts";
import { SqlTransaction } from "../sql/transaction.ts";
import { follow } from "../work.ts";
import type { Batch, CommitOutcome, InsertSubscription, Unit } from "../writes.ts";
import { prepared } from "./connections.ts";
import { BatchEncoder } from "./encode-batch.ts";
import { isUnknownOutcome } from "./errors.ts";
import { FUNCTIONS, SERVER_TIME } from "./functions.ts";
import { eventLock, PostgresConnection, postedRows } from "./postgres-connection.ts";
import { type AskingHost, untilAnswered } from "./until-answered.ts";

const COMMIT = `SELECT outcome, now, missed, posted FROM ${FUNCTIONS.commit}(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`;
/**
 * Whether a batch with one of the tokens ?3 to ?4 is written; if not, none of them can be any more. To be asked again when the answer
 * was lost: what was found is left as it is.
 */
const RESOLVE = `UPDATE lane AS l SET token = CASE WHEN before.token BETWEEN ?3 AND ?4 THEN before.token ELSE ?5 END
  FROM (SELECT token FROM lane WHERE epoch = ?1 AND number = ?2 FOR UPDATE) AS before WHERE l.epoch = ?1 AND l.number = ?2
  RETURNING before.token BETWEEN ?3 AND ?4 AS is_written, ${SERVER_TIME} AS now`;

/** What the lanes of a ledger share. */
export interface LaneHost extends AskingHost {
  /** The time to stamp, where it is not the server's that counts; null for the server's. */
  exactTime(): number | null;
  /** No commit is stamped with an earlier time. */
  readonly floor: number;
  told(now: number): void;
  /** What a commit put into inboxes is not known: they are to be read. */
  lookAtInboxes(): void;
}

/** A batch on its way: where its tokens begin, and the positions of units that are known to have missed. */
interface Try {
  readonly from: number;
  readonly missed: Set<number>;
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
  #isClosed = false;

  constructor(host: LaneHost, number: number) {
    this.#host = host;
    this.#number = number;
  }

  /**
   * @throws StepwellError `LEDGER_CONFLICT` with the index of the first unit that breaks a guard or a constraint
   * @throws StepwellError `LEDGER_UNREACHABLE` when there is no connection to send it on: nothing was written. What was sent is waited for
   */
  async commit(batch: Batch): Promise<CommitOutcome> {
    const client = await this.#connected();
    if (client === undefined) return { outcome: "fenced" };
    const attempt: Try = { from: this.#token + 1, missed: new Set() };
    try {
      return await this.#write(client, batch, attempt);
    } catch (cause) {
      const error = this.#host.connections.coded(cause);
      if (error instanceof StepwellError && isUnknownOutcome(error)) return this.#resolve(batch, attempt, error);
      await this.#rollBack(client);
      throw error;
    }
  }

  /** Does not wait for an answer that is outstanding. Nothing is written after it that was not on its way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#drop();
  }

  async #write(client: Client, batch: Batch, attempt: Try): Promise<CommitOutcome> {
    const { units } = batch;
    if (!isInOrder(units)) return this.#oneByOne(client, batch, attempt);
    try {
      return await this.#together(client, batch, attempt);
    } catch (cause) {
      const error = this.#host.connections.coded(cause);
      if (!isConflict(error)) throw error;
      if (units.length === 1) throw withUnit(error, units, 0);
    }
    await client.query("ROLLBACK");
    attempt.missed.clear();
    return this.#oneByOne(client, batch, attempt);
  }

  /** All units that did not miss in one call, usually all of them. */
  async #together(client: Client, { epoch, units }: Batch, { missed }: Try): Promise<CommitOutcome> {
    for (;;) {
      const kept = [...units.keys()].filter((index) => !missed.has(index));
      const sent = await this.#inTransaction(client, epoch, units, kept);
      if (sent.outcome === "fenced") return { outcome: "fenced" };
      if (sent.outcome === "committed") return this.#committed(sent, missed);
      for (const position of sent.missed) missed.add(kept[position] ?? -1);
    }
  }

  #committed({ now, posted }: Pick<Sent, "now" | "posted">, missed: ReadonlySet<number>): CommitOutcome {
    this.#host.told(now);
    return { outcome: "committed", now, missed: [...missed].toSorted((a, b) => a - b), accepted: posted };
  }

  /** A batch that subscribes to events gives them those that were kept, in the same transaction. */
  async #inTransaction(client: Client, epoch: number, units: readonly Unit[], kept: readonly number[]): Promise<Sent> {
    const sent = kept.map((index) => units[index]).filter((unit) => unit !== undefined);
    const subscribed = subscriptionsOf(sent);
    if (subscribed.length === 0) return this.#send(client, epoch, sent, subscribed);
    await client.query("BEGIN");
    const result = await this.#send(client, epoch, sent, subscribed);
    const accepted = result.outcome === "committed" ? await matched(client, epoch, subscribed, result.now) : [];
    await client.query(result.outcome === "committed" ? "COMMIT" : "ROLLBACK");
    return { ...result, posted: [...result.posted, ...accepted] };
  }

  /** The careful way: one unit after the other in one transaction, so that it is known which one is to blame. */
  async #oneByOne(client: Client, { epoch, units }: Batch, { missed }: Try): Promise<CommitOutcome> {
    const posted: InboxRow[] = [];
    let now = 0;
    await client.query("BEGIN");
    for (const [index, unit] of units.entries()) {
      const locks = index === 0 ? subscriptionsOf(units) : [];
      const sent = await this.#send(client, epoch, [unit], locks).catch((cause: unknown) => {
        throw withUnit(this.#host.connections.coded(cause), units, index);
      });
      if (sent.outcome === "fenced") {
        await client.query("ROLLBACK");
        return { outcome: "fenced" };
      }
      if (sent.outcome === "missed") missed.add(index);
      else now = sent.now;
      posted.push(...sent.posted);
    }
    const subscribed = subscriptionsOf(units.filter((_, index) => !missed.has(index)));
    if (subscribed.length > 0) posted.push(...(await matched(client, epoch, subscribed, now)));
    await client.query("COMMIT");
    return this.#committed({ now, posted }, missed);
  }

  async #send(client: Client, epoch: number, units: readonly Unit[], subscribed: readonly InsertSubscription[]): Promise<Sent> {
    const positions = [...units.keys()].filter((position) => units[position]?.inboxSeq !== null);
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
    return sentOf(rows[0] ?? {}, positions);
  }

  /** One that ended while nobody used it is replaced; undefined once the lane is closed. */
  async #connected(): Promise<Client | undefined> {
    if (this.#client !== undefined) return this.#client;
    const client = await this.#host.connections.dedicated();
    if (this.#isClosed) {
      await this.#host.connections.end(client);
      return undefined;
    }
    client.once("end", () => {
      if (this.#client === client) this.#client = undefined;
    });
    this.#client = client;
    return client;
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await this.#host.connections.end(client);
  }

  /** A connection on which that fails has no transaction any more. */
  async #rollBack(client: Client): Promise<void> {
    await client.query("ROLLBACK").catch(() => this.#drop());
  }

  /**
   * The connection was lost on the way. Nothing is guessed: a new one asks the lane's token whether the batch is written, which waits for
   * a transaction that is just writing it and bars one that has yet to begin.
   */
  async #resolve(batch: Batch, { from, missed }: Try, lost: StepwellError): Promise<CommitOutcome> {
    const to = this.#token;
    const found = await untilAnswered(this.#host, batch.epoch, lost, () => this.#askForToken(batch.epoch, from, to));
    if (found === undefined) return { outcome: "fenced" };
    if (found["is_written"] !== true) return this.commit(batch);
    this.#host.lookAtInboxes();
    return this.#committed({ now: this.#host.exactTime() ?? Number(found["now"]), posted: [] }, missed);
  }

  /** Of an epoch that is over nothing is found. */
  async #askForToken(epoch: number, from: number, to: number): Promise<Record<string, unknown> | undefined> {
    // its end is not waited for: the server may be out of reach
    void this.#drop();
    const client = await this.#connected();
    if (client === undefined) return undefined;
    const values = [epoch, this.#number, from, to, ++this.#token];
    return (await client.query<Record<string, unknown>>({ ...prepared(RESOLVE), values })).rows[0];
  }
}

/** @param positions of the units that the function was asked about */
function sentOf({ outcome, now, missed, posted }: Record<string, unknown>, positions: readonly number[]): Sent {
  invariant(outcome === "committed" || outcome === "missed" || outcome === "fenced", "the function tells an outcome");
  const found: readonly unknown[] = Array.isArray(missed) ? missed : [];
  return { outcome, now: Number(now ?? 0), missed: found.map((index) => positions[Number(index)] ?? -1), posted: postedRows(posted) };
}

async function matched(
  client: Client,
  epoch: number,
  subscribed: readonly InsertSubscription[],
  now: number,
): Promise<readonly InboxRow[]> {
  const connection = new PostgresConnection(client, epoch);
  const rows = await follow(matchKeptEvents(new SqlTransaction(connection, now), subscribed));
  await connection.settled();
  return rows;
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
