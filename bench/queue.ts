import { newPublicId } from "../src/engine/public-id.ts";
import type { Ledger } from "../src/ledger/port.ts";
import { asks, queuedInsert } from "../src/ledger/queued-run.ts";
import { openLedger } from "../src/ledger/url.ts";
import type { Unit } from "../src/ledger/writes.ts";
import type { Admission, Limiter } from "../src/model/admission.ts";
import type { Place } from "./contestant.ts";
import { ledgerOf } from "./ours.ts";

/** What so many runs wait for: one full key, one full limit of the workflow though each has a key of its own, or nothing but room. */
export type Backlog = "one key" | "many keys" | "no limit";

/** Microseconds in a small queue and in a large one, each pair measured in the same moment. */
export interface QueueSample {
  readonly small: readonly number[];
  readonly large: readonly number[];
}

/** Runs that stand in a ledger and that nobody drives. */
export interface FilledLedger {
  readonly ledger: Ledger;
  readonly epoch: number;
  /** Puts so many more into the queue. */
  fill(runs: number): Promise<void>;
}

/** Runs of one commit. */
const UNITS = 1_000;
const WORKFLOW_LIMIT = 32;
/** What an engine asks for at once. */
const PAGE = 200;
const ROUNDS = 100;
const WARM_UP_ROUNDS = 5;
const DEFINITION = JSON.stringify({ name: "queued", steps: [{ uses: "work" }] });

/** Measures two queues, of which one is much longer, in turns. */
export async function measureQueue(
  places: readonly [Place, Place],
  backlog: Backlog,
  runs: readonly [number, number],
): Promise<QueueSample> {
  const small = await Queue.open(places[0], backlog, runs[0]);
  const large = await Queue.open(places[1], backlog, runs[1]);
  const sample = { small: [] as number[], large: [] as number[] };
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    // who comes first may find the machine as the other one has left it
    const turns = [
      { of: sample.small, queue: small },
      { of: sample.large, queue: large },
    ] as const;
    for (const { of, queue } of round % 2 === 0 ? turns : turns.toReversed()) {
      const micros = await queue.next();
      if (round >= 0) of.push(micros);
    }
  }
  await Promise.all([small.close(), large.close()]);
  return sample;
}

/** A queue that keeps its length. */
class Queue {
  readonly #filled: FilledLedger;
  readonly #backlog: Backlog;
  /** Those that hold the slots, the oldest first. */
  readonly #admitted: number[];

  private constructor(filled: FilledLedger, backlog: Backlog, admitted: number[]) {
    this.#filled = filled;
    this.#backlog = backlog;
    this.#admitted = admitted;
  }

  static async open(place: Place, backlog: Backlog, runs: number): Promise<Queue> {
    let number = 0;
    const filled = await openFilled(place, "default", () => limitersOf(backlog, number++));
    await filled.fill(runs);
    const admitted: number[] = [];
    for (let isMore = true; isMore; ) {
      const given = await filled.ledger.claims.admit(filled.epoch, backlog === "no limit" ? 1 : PAGE);
      admitted.push(...given.runs);
      ({ isMore } = given);
    }
    await clearNotes(place);
    return new Queue(filled, backlog, admitted);
  }

  /** Microseconds for each run that is admitted: one after one has ended, or a page of those that nothing holds up. */
  async next(): Promise<number> {
    const { ledger, epoch } = this.#filled;
    const wanted = this.#backlog === "no limit" ? PAGE : 1;
    if (wanted === 1) await this.#end(this.#admitted.shift());
    const startedAt = performance.now();
    const { runs } = await ledger.claims.admit(epoch, wanted);
    const micros = (performance.now() - startedAt) * 1_000;
    if (runs.length !== wanted) throw new Error(`${runs.length} runs were admitted, not ${wanted}`);
    this.#admitted.push(...runs);
    await this.#refill(wanted);
    return micros / wanted;
  }

  /** With their notes read, which is no part of the next measurement. */
  async #refill(runs: number): Promise<void> {
    await this.#filled.fill(runs);
    if (runs > 1) await this.#filled.ledger.claims.admit(this.#filled.epoch, 1);
  }

  async #end(runId: number | undefined): Promise<void> {
    if (runId === undefined) throw new Error("nobody holds a slot");
    const end = { write: "endRun", runId, status: "CANCELLED", reason: null, output: null, error: null, revision: 2 } as const;
    await commit(this.#filled, [{ runId, inboxSeq: 0, writes: [end, { write: "insertNote", runId, note: "ended", dueInMs: 0 }] }]);
  }

  close(): Promise<void> {
    return this.#filled.ledger.close();
  }
}

/** As autovacuum does within a minute: until then who reads the first note steps over all that were read before. */
async function clearNotes({ database }: Place): Promise<void> {
  if (database === null) return;
  const { query } = await import("../test/fixtures/postgres/new-database.ts");
  await query(database, "VACUUM stepwell.admission_note");
}

/** Opens a ledger as an engine would that drives nothing. */
export async function openFilled(place: Place, tenant: string, limiters: () => readonly Limiter[]): Promise<FilledLedger> {
  const ledger = await openLedger(ledgerOf(place));
  const { epoch } = await ledger.own({ name: "bench", host: "bench", pid: process.pid, version: "0", groups: null });
  const steps = [{ ordinal: 0, path: "work", uses: "work" }];
  const version = await ledger.putVersion({ tenant, workflow: "queued", version: null, hash: "queued", definition: DEFINITION, steps });
  const unit = (runId: number): Unit => {
    const admission: Admission = { priorityMs: 0, limiters: limiters(), gather: null };
    const run = { publicId: newPublicId(Date.now()), tenant, versionId: version.id, input: "{}", labels: null, initiator: "api" };
    const rest = { trigger: "call", environment: "production", idempotencyKey: null, idempotencyHash: null, deadlineInMs: null };
    const insert = queuedInsert({ ...run, ...rest, workerGroup: "default", admission: JSON.stringify(admission) }, runId);
    return { runId, inboxSeq: null, writes: [insert, asks(runId)] };
  };
  const fill = async (runs: number): Promise<void> => {
    for (let left = runs; left > 0; left -= UNITS) {
      const count = Math.min(left, UNITS);
      const first = await ledger.reserveRunIds(count);
      await commit(
        { ledger, epoch },
        Array.from({ length: count }, (_, index) => unit(first + index)),
      );
    }
  };
  return { ledger, epoch, fill };
}

async function commit({ ledger, epoch }: Pick<FilledLedger, "ledger" | "epoch">, units: readonly Unit[]): Promise<void> {
  const answer = await ledger.commit({ epoch, units });
  if (answer.outcome !== "committed" || answer.missed.length > 0) throw new Error("the ledger is somebody else's");
}

function limitersOf(backlog: Backlog, number: number): readonly Limiter[] {
  const limiter = (id: string, limit: number): Limiter => ({ id, limit, periodMs: null, onLimit: "queue", holds: "activity" });
  if (backlog === "no limit") return [];
  if (backlog === "one key") return [limiter('["queued","concurrency",0,"key"]', 1)];
  return [limiter('["queued","concurrency",0]', WORKFLOW_LIMIT), limiter(`["queued","concurrency",1,${number}]`, 1)];
}
