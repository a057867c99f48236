import type { CallerTransactions } from "../ledger/caller-transactions.ts";
import type { Ledger } from "../ledger/port.ts";
import { SLOTS } from "../ledger/rows.ts";
import type { InsertRun } from "../ledger/writes.ts";
import type { Gather } from "../model/admission.ts";
import { StepwellError } from "../model/errors.ts";
import { canonicalJson, type Json, toJson } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import type { SqlClient } from "../model/sql-client.ts";
import type { RunContext } from "../operators/operator.ts";
import type { AnnouncedRun } from "../queue/port.ts";
import { refuseKeyOfGathered } from "./admission/admission-of.ts";
import { admissionText, type Place, placeRun } from "./admission/place-run.ts";
import type { StartOptions } from "./api.ts";
import type { Catalog } from "./catalog.ts";
import { payloadText } from "./finish-output.ts";
import { type MaybePromise, proceed } from "./maybe-promise.ts";
import { Passage } from "./passage.ts";
import type { Plan } from "./plan.ts";
import { childPublicId } from "./public-id.ts";
import { QueuedInsert } from "./queued-insert.ts";
import { requestHash } from "./request-hash.ts";
import { RunDriver } from "./run-driver.ts";
import type { ChildParent, ChildRequest, RunHost } from "./run-host.ts";
import { RunIds } from "./run-ids.ts";
import { freezeContext } from "./run-results.ts";

export interface StarterHost {
  readonly host: RunHost;
  readonly ledger: Ledger;
  readonly catalog: Catalog;
  readonly environment: string;
  /** Of every run that is started here. */
  readonly tenant: string;
  /** @throws StepwellError `ENGINE_STOPPED`, or what made the engine stop */
  expectOpen(): void;
  /** No more runs fit into memory. */
  isFull(): boolean;
  begin(run: RunDriver): void;
  enqueue(insert: QueuedInsert): void;
  /** A run was stored QUEUED. */
  queued(run: AnnouncedRun): void;
}

interface StartedPlace extends Place {
  /** It waits for its turn, whatever room there is here. */
  readonly isLimited: boolean;
}

interface PendingStart {
  readonly publicId: string;
  readonly resolve: (publicId: string) => void;
  readonly reject: (error: StepwellError) => void;
}

/** Turns a request into a durable run: checks the input, keeps the promise of idempotency keys, inserts. */
export class RunStarter {
  readonly #to: StarterHost;
  readonly #ids: RunIds;
  readonly #pending = new Passage<number, PendingStart>();

  constructor(to: StarterHost) {
    this.#to = to;
    this.#ids = new RunIds(to.ledger);
  }

  async start(workflow: string, input: unknown, options: StartOptions): Promise<string> {
    const { catalog, host, tenant } = this.#to;
    this.#to.expectOpen();
    const plan = catalog.ready(tenant, workflow) ?? (await catalog.newest(tenant, workflow));
    const checked = toJson(input ?? {}, "the input");
    const { inputSchema } = plan.graph;
    if (inputSchema !== null) await host.schemas.check(inputSchema, checked, "INPUT_INVALID", `the input of "${workflow}"`);
    const { idempotencyKey } = options;
    refuseKeyOfGathered(plan.graph, idempotencyKey);
    if (idempotencyKey === undefined) return this.#insert(plan, checked, options, null);
    if (idempotencyKey.length > LIMITS.idempotencyKeyLength) {
      throw new StepwellError("VALUE_TOO_LARGE", `an idempotency key may have ${LIMITS.idempotencyKeyLength} characters`);
    }
    const hash = requestHash(workflow, checked);
    return (await this.#startedBy(workflow, idempotencyKey, hash)) ?? this.#insertOnce(plan, checked, options, idempotencyKey, hash);
  }

  /**
   * The insert of a child run, for the commit that suspends its parent's step.
   *
   * @throws StepwellError `WORKFLOW_NOT_FOUND`, `INPUT_INVALID`, `VALUE_TOO_LARGE`, `CHILD_TOO_DEEP`, `CHILD_RECURSION`
   */
  async prepareChild(request: ChildRequest, { runId, context, lineage, step, ordinal, attempt }: ChildParent): Promise<InsertRun> {
    const { workflow, version, input } = request;
    const { host, catalog, environment } = this.#to;
    const { tenant } = context;
    const plan = await catalog.ofName(tenant, workflow, version);
    const checked = toJson(input ?? {}, `the input of workflow "${workflow}"`);
    const { inputSchema, labels } = plan.graph;
    if (inputSchema !== null) await host.schemas.check(inputSchema, checked, "INPUT_INVALID", `the input of "${workflow}"`);
    refuseEndless(workflow, checked, context, lineage.depth);
    const publicId = childPublicId(context.runId, step, attempt);
    const placed = await this.#placeOf(plan, tenant, checked, publicId);
    const isQueued = placed.isLimited || this.#to.isFull();
    return {
      write: "insertRun",
      runId: this.#ids.tryTake() ?? (await this.#ids.take()),
      publicId,
      tenant,
      versionId: plan.versionId,
      status: "QUEUED",
      input: payloadText(checked, "the input"),
      labels: Object.keys(labels).length === 0 ? null : JSON.stringify(labels),
      initiator: `run:${context.runId}`,
      trigger: "child",
      environment,
      idempotencyKey: null,
      idempotencyHash: null,
      ownerEpoch: isQueued ? null : host.epoch,
      workerGroup: placed.workerGroup,
      // its parent waits for one run: starts of children are not collected
      admission: admissionText(placed.admission && { ...placed.admission, gather: null }),
      slots: isQueued ? SLOTS.asked : null,
      deadlineInMs: null,
      parent: { runId, step, ordinal, depth: lineage.depth + 1, rootRunId: lineage.rootRunId },
      revision: 1,
    };
  }

  started(runId: number): void {
    const pending = this.#pending.take(runId);
    pending?.resolve(pending.publicId);
  }

  refused(runId: number, error: StepwellError): void {
    const pending = this.#pending.take(runId);
    pending?.reject(error);
  }

  refuseAll(error: StepwellError): void {
    for (const runId of this.#pending.keys()) this.refused(runId, error);
  }

  /** Two starts with one key race to one insert; who loses finds the winner's run. */
  async #insertOnce(plan: Plan, input: Json, options: StartOptions, key: string, hash: string): Promise<string> {
    try {
      return await this.#insert(plan, input, options, hash);
    } catch (cause) {
      const hasLost = cause instanceof StepwellError && cause.code === "LEDGER_CONFLICT";
      // the caller's transaction has failed with it, and whatever else it wrote
      if (!hasLost || options.transaction !== undefined) throw cause;
      const winner = await this.#startedBy(plan.graph.name, key, hash);
      if (winner === undefined) throw cause;
      return winner;
    }
  }

  async #startedBy(workflow: string, key: string, hash: string): Promise<string | undefined> {
    const found = await this.#to.ledger.findByIdempotencyKey(this.#to.tenant, workflow, key);
    if (found === undefined || found.hash === hash) return found?.run.publicId;
    throw new StepwellError("IDEMPOTENCY_KEY_REUSED", `the key "${key}" started run ${found.run.publicId} with another input`, {
      hint: "Use a new key for a new request.",
      data: { runId: found.run.publicId },
    });
  }

  async #insert(plan: Plan, input: Json, options: StartOptions, idempotencyHash: string | null): Promise<string> {
    const { graph, versionId } = plan;
    const { host, environment, tenant } = this.#to;
    const { idempotencyKey = null, initiator = "api", trigger = "call", labels = graph.labels } = options;
    const text = payloadText(input, "the input");
    const runId = this.#ids.tryTake() ?? (await this.#ids.take());
    const publicId = host.newId();
    const placing = this.#placeOf(plan, tenant, input, publicId);
    const placed = placing instanceof Promise ? await placing : placing;
    const isQueued = options.transaction !== undefined || placed.isLimited || this.#to.isFull();
    const insert: InsertRun = {
      write: "insertRun",
      runId,
      publicId,
      tenant,
      versionId,
      status: isQueued ? "QUEUED" : "RUNNING",
      input: text,
      labels: Object.keys(labels).length === 0 ? null : JSON.stringify(labels),
      initiator,
      trigger,
      environment,
      idempotencyKey,
      idempotencyHash,
      ownerEpoch: isQueued ? null : host.epoch,
      workerGroup: placed.workerGroup,
      admission: admissionText(placed.admission),
      slots: isQueued ? SLOTS.asked : null,
      deadlineInMs: isQueued ? null : graph.timeoutMs,
      parent: null,
      revision: 1,
    };
    const { gather = null } = placed.admission ?? {};
    if (gather !== null) return this.#collect(insert, gather, options);
    if (options.transaction !== undefined) return insertWithin(options.transaction, host.transactions, insert);
    return new Promise((resolve, reject) => {
      if (host.isStopping) {
        reject(new StepwellError("ENGINE_STOPPED", "the engine is not open"));
        return;
      }
      this.#pending.set(runId, { publicId, resolve, reject });
      if (isQueued) this.#to.enqueue(this.#queuedInsert(insert, plan));
      else {
        const context = freezeContext({
          runId: publicId,
          workflow: graph.name,
          version: graph.version,
          tenant,
          initiator,
          labels: { ...labels },
          input,
        });
        this.#to.begin(RunDriver.begin(host, plan, context, insert));
      }
    });
  }

  /** A start of those that become one run. */
  async #collect(insert: InsertRun, gather: Gather, { transaction }: StartOptions): Promise<string> {
    if (transaction !== undefined) {
      throw new StepwellError("NOT_SUPPORTED", "A start that is collected with others cannot be part of a transaction", {
        hint: "It changes the run that earlier starts have made. Start without `transaction`, or a workflow without `debounce` and `batch`.",
      });
    }
    const { publicId } = await this.#to.ledger.enqueueRun(insert);
    // an earlier start may have made the run, and whoever is woken too early for a later one learns when its time comes
    this.#to.queued({ ...insert, publicId, delayMs: gather.delayMs });
    return publicId;
  }

  /** Where a run goes, and what it asks for before it may begin. */
  #placeOf(plan: Plan, tenant: string, input: Json, publicId: string): MaybePromise<StartedPlace> {
    const { host } = this.#to;
    const { placement } = host;
    const start = { tenant, input, evaluation: { nowMs: host.ledgerNow(), seed: publicId } };
    return proceed(placeRun(placement, plan.graph, start), (place) => ({
      ...place,
      isLimited: !placement.serves(place.workerGroup) || placement.isBounded(tenant) || (place.admission?.limiters.length ?? 0) > 0,
    }));
  }

  #queuedInsert(insert: InsertRun, { graph, stepIds }: Plan): QueuedInsert {
    const { host } = this.#to;
    const stored = (): void => {
      this.#to.queued(insert);
      const run = { id: insert.publicId, workflow: graph.name, version: graph.version, tenant: insert.tenant, steps: stepIds };
      if (host.isHeard) host.emit({ type: "run.queued", run });
      this.started(insert.runId);
    };
    return new QueuedInsert(insert, stored, (error) => this.refused(insert.runId, error));
  }
}

/** A run that starts itself with the same input would never end; what goes round over others ends at the depth limit. */
function refuseEndless(workflow: string, input: Json, parent: RunContext, depth: number): void {
  if (depth >= LIMITS.childDepth) {
    throw new StepwellError(
      "CHILD_TOO_DEEP",
      `workflow "${workflow}" would stand ${depth + 1} runs below the first; the limit is ${LIMITS.childDepth}`,
    );
  }
  if (parent.workflow === workflow && canonicalJson(parent.input) === canonicalJson(input)) {
    throw new StepwellError("CHILD_RECURSION", `workflow "${workflow}" starts itself with the same input and would never end`, {
      hint: "Give the child less to do than its parent has, or use a `loop`.",
    });
  }
}

/** Into the transaction that the caller has open. */
async function insertWithin(client: SqlClient, transactions: CallerTransactions | null, insert: InsertRun): Promise<string> {
  if (transactions === null) {
    throw new StepwellError("NOT_SUPPORTED", "This ledger cannot be written in a transaction of the caller's", {
      hint: "A run can start with one only where the ledger is in PostgreSQL.",
    });
  }
  await transactions.insert(client, insert);
  return insert.publicId;
}
