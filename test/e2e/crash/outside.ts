import { createHash, randomUUID } from "node:crypto";
import type { Ledger } from "../../../src/ledger/port.ts";
import type { InboxRow, RunRow, TaskRow } from "../../../src/ledger/rows.ts";
import { asStepwellError } from "../../../src/model/errors.ts";
import { canonicalJson } from "../../../src/model/json.ts";
import { isTerminalRun } from "../../../src/model/status.ts";
import type { Random } from "../seeded-random.ts";
import { Book, type KnownRun, TENANT } from "./book.ts";
import type { Said } from "./protocol.ts";
import type { Schedule, StartPlan } from "./schedule.ts";
import type { Command } from "./words.ts";
import { programOf } from "./workflows.ts";

type Unnumbered = Command extends infer Each ? (Each extends { readonly n: number } ? Omit<Each, "n"> : never) : never;

/** One thing that somebody wants to have happened, by a name of its own; asked for again until it is acknowledged. */
interface Wish {
  readonly id: string;
  /** Through the engine. */
  readonly inside: Unnumbered;
  /** By a process of one's own beside the engine. */
  readonly outside: () => Promise<string | null>;
  readonly acknowledged: (result: string | null) => void;
}

/** What a wish meets when somebody else, or its own first try, was quicker; also what a dying engine or server answers. */
const HARMLESS: ReadonlySet<string> = new Set([
  "TASK_CLOSED",
  "TASK_LEASE_LOST",
  "ENGINE_STOPPED",
  "LEDGER_BUSY",
  "LEDGER_UNAVAILABLE",
  "LEDGER_UNREACHABLE",
]);
const PERSON = "ann";

/**
 * People, other services and workers. They look at the ledger and do what it waits for, through the engine or with a connection of
 * their own; after a crash they do again what nobody acknowledged.
 */
export class Outside {
  readonly book = new Book();
  readonly #ledger: Ledger;
  readonly #schedule: Schedule;
  readonly #random: Random;
  readonly #ask: (command: Command) => void;
  readonly #asked = new Map<number, Wish>();
  readonly #underWay = new Set<string>();
  #number = 0;

  constructor(ledger: Ledger, schedule: Schedule, random: Random, ask: (command: Command) => void) {
    this.#ledger = ledger;
    this.#schedule = schedule;
    this.#random = random;
    this.#ask = ask;
  }

  /** What the engine answered. */
  heard(said: Extract<Said, { say: "done" | "refused" }>): void {
    const wish = this.#asked.get(said.n);
    if (wish === undefined) return;
    this.#asked.delete(said.n);
    this.#underWay.delete(wish.id);
    if (said.say === "done") wish.acknowledged(said.result);
    else this.#refused(wish, said.code);
  }

  /** Whatever the engine was asked and has not answered may have happened or not. */
  engineDied(): void {
    this.#asked.clear();
    this.#underWay.clear();
  }

  stopEngine(): void {
    this.#ask({ do: "stop", n: ++this.#number });
  }

  /** Does what is to be done now; tells whether every run has ended, or it is known already that something is wrong. */
  async look(): Promise<boolean> {
    for (const start of this.#schedule.starts) await this.#start(start);
    for (const run of [...this.book.runs.values()]) if (run.ended === undefined) await this.#attend(run);
    if (this.book.violations.length > 0) return true;
    const started = this.#schedule.starts.map(({ key }) => this.book.runs.get(this.book.starts.get(key) ?? ""));
    return [...started, ...this.book.runs.values()].every((run) => run?.ended !== undefined);
  }

  async #start({ workflow, key, isQueued }: StartPlan): Promise<void> {
    const found = await this.#ledger.findByIdempotencyKey(TENANT, workflow, key);
    if (found !== undefined) this.book.meet(found.run, key);
    const acknowledged = this.book.starts.get(key);
    if (acknowledged !== undefined) {
      if (found === undefined) this.book.violated("lost", `run ${acknowledged} of ${key} was acknowledged and is not there`);
      return;
    }
    await this.#wish(
      {
        id: `start ${key}`,
        inside: { do: "start", workflow, key },
        outside: () => this.#enqueue(workflow, key),
        acknowledged: (result) => this.book.starts.set(key, result ?? ""),
      },
      // somebody who cannot reach the engine puts it into the queue; all others ask the engine
      isQueued ? 1 : 0,
    );
  }

  async #enqueue(workflow: string, key: string): Promise<string> {
    const version = await this.#ledger.latestVersion(TENANT, workflow);
    const input = { key, list: ["x", "y", "z"] };
    const hash = createHash("sha256").update(canonicalJson({ workflow, input }));
    const queued = await this.#ledger.enqueueRun({
      publicId: randomUUID(),
      tenant: TENANT,
      versionId: version?.id ?? 0,
      input: JSON.stringify(input),
      labels: null,
      initiator: PERSON,
      trigger: "call",
      environment: "test",
      idempotencyKey: key,
      idempotencyHash: hash.digest("hex"),
      deadlineInMs: null,
      workerGroup: "default",
      admission: null,
    });
    return queued.publicId;
  }

  async #attend(run: KnownRun): Promise<void> {
    const row = await this.#ledger.getRun(TENANT, run.id);
    if (row === undefined) this.book.violated("lost", `run ${run.key} is no longer in the ledger`);
    if (row === undefined || isTerminalRun(row.status)) {
      run.ended = row;
      return;
    }
    if (row.workflow === "family")
      for (const child of await this.#ledger.waits.listChildren(TENANT, run.id)) this.book.meet(child, run.key);
    if (row.reason === "quarantined") await this.#command(run, "resume", `operator ${row.revision}`);
    const waits = await this.#ledger.waits.listWaits(TENANT, run.id);
    const waitsFor = new Set(waits.filter(({ kind }) => kind === "signal").map(({ key }) => key ?? ""));
    const { cancelledAt, pausedAt, early = [] } = programOf(row.workflow);
    if (cancelledAt !== undefined) await this.#cancel(run, cancelledAt);
    if (pausedAt !== undefined) await this.#pause(run, row, waitsFor);
    else await this.#signals(run, new Set([...waitsFor, ...early]));
    if (waits.some(({ kind }) => kind === "event")) await this.#publish(run);
    if (waits.some(({ kind }) => kind === "task")) await this.#tasks(run);
  }

  /** Of several signals of one name, the next one is sent when the one before was acknowledged. */
  async #signals(run: KnownRun, wanted: ReadonlySet<string>): Promise<void> {
    const { signals } = programOf(run.workflow);
    for (const [name, count] of Object.entries(signals)) {
      for (let which = 1; which <= count; which++) {
        const isSent = run.signals.has(`${name} ${which}`);
        // now and then somebody who knows that it was accepted sends it again
        if (isSent && this.#random() < 0.9) continue;
        if (!isSent && which === 1 && !wanted.has(name) && this.#random() >= this.#schedule.eagerness) break;
        await this.#signal(run, name, which);
        if (!run.signals.has(`${name} ${which}`)) break;
      }
    }
  }

  async #signal({ id: run, key, signals }: KnownRun, name: string, which: number): Promise<void> {
    const payload = `${name} ${which}`;
    const id = `${key}/${payload}`;
    const entry = { tenant: TENANT, publicId: run, kind: "signal", payload, actor: PERSON, name, signalId: id } as const;
    await this.#wish({
      id: `signal ${run} ${id}`,
      inside: { do: "signal", run, name, payload, id },
      outside: () => withoutResult(this.#ledger.accept(entry)),
      acknowledged: () => signals.add(payload),
    });
  }

  async #publish({ key }: KnownRun): Promise<void> {
    const id = `${key}/paid`;
    if (this.book.events.has(id)) return;
    const entry = { tenant: TENANT, event: "paid", id, data: { order: key }, retainMs: 60_000 };
    await this.#wish({
      id: `publish ${id}`,
      inside: { do: "publish", event: "paid", order: key, id },
      outside: () => withoutResult(this.#ledger.events.publish(entry)),
      acknowledged: () => this.book.events.add(id),
    });
  }

  async #cancel(run: KnownRun, path: string): Promise<void> {
    const steps = await this.#ledger.listSteps(TENANT, run.id);
    const status = steps.find((step) => step.path === path)?.status;
    if (status === "RUNNING" || status === "SUSPENDED") await this.#command(run, "cancel", PERSON);
  }

  /** Pauses it where it waits, sends what it waits for while it is paused, and then lets it go on. */
  async #pause(run: KnownRun, row: RunRow, waitsFor: ReadonlySet<string>): Promise<void> {
    const inbox = await this.#ledger.waits.listSignals(TENANT, run.id);
    const has = (kind: InboxRow["kind"], actor?: string): boolean =>
      inbox.some((one) => one.kind === kind && (actor === undefined || one.actor === actor));
    if (!has("pause")) {
      if (waitsFor.size > 0) await this.#command(run, "pause", PERSON);
    } else if (!run.signals.has("go 1")) {
      if (row.pausedBy !== null || has("resume")) await this.#signal(run, "go", 1);
    } else if (!has("resume", PERSON)) await this.#command(run, "resume", PERSON);
  }

  async #command({ id: run, commands }: KnownRun, kind: "cancel" | "pause" | "resume", actor: string): Promise<void> {
    const command = `${kind} ${actor}`;
    if (commands.has(command)) return;
    const inbox = await this.#ledger.waits.listSignals(TENANT, run);
    // its first try, of which nobody heard, was accepted
    if (inbox.some((row) => row.kind === kind && row.actor === actor)) commands.add(command);
    // or it was acknowledged meanwhile
    if (commands.has(command)) return;
    await this.#wish({
      id: `${kind} ${run} ${actor}`,
      inside: { do: kind, run, actor },
      outside: () => withoutResult(this.#ledger.accept({ tenant: TENANT, publicId: run, kind, payload: null, actor })),
      acknowledged: () => commands.add(command),
    });
  }

  async #tasks(run: KnownRun): Promise<void> {
    const { tasks } = await this.#ledger.tasks.list({ tenant: TENANT, runId: run.id, limit: 10 });
    for (const task of tasks) {
      if (task.status === "DONE" || task.status === "CANCELLED") continue;
      if (task.type === "approval") await this.#approve(task);
      else await this.#work(task);
    }
  }

  async #approve({ publicId: task }: TaskRow): Promise<void> {
    const decision = { tenant: TENANT, publicId: task, isApproved: true, actor: PERSON, comment: null, form: null };
    await this.#wish({
      id: `approve ${task}`,
      inside: { do: "approve", task, by: PERSON },
      outside: () => withoutResult(this.#ledger.tasks.decide(decision)),
      acknowledged: () => this.book.decisions.add(task),
    });
  }

  async #work({ topic }: TaskRow): Promise<void> {
    const name = topic ?? "";
    await this.#wish({
      id: `work ${name}`,
      inside: { do: "work", topic: name },
      outside: () => this.#workOnce(name),
      acknowledged: (task) => task !== null && this.book.decisions.add(task),
    });
  }

  /** A worker of its own, which now and then does not come back. */
  async #workOnce(topic: string): Promise<string | null> {
    const token = randomUUID();
    const [task] = await this.#ledger.tasks.poll({ tenant: TENANT, topic, worker: "outside", token, limit: 1 });
    if (task === undefined || this.#random() < 0.2) return null;
    const lease = { tenant: TENANT, publicId: task.publicId, token };
    await this.#ledger.tasks.complete(lease, { packed: JSON.parse(task.payload ?? "null") });
    return task.publicId;
  }

  async #wish(wish: Wish, outsideShare = this.#schedule.outsideShare): Promise<void> {
    if (this.#underWay.has(wish.id)) return;
    if (this.#random() < outsideShare) {
      try {
        wish.acknowledged(await wish.outside());
      } catch (cause) {
        this.#refused(wish, asStepwellError(cause).code);
      }
      return;
    }
    const n = ++this.#number;
    this.#asked.set(n, wish);
    this.#underWay.add(wish.id);
    this.#ask({ ...wish.inside, n });
  }

  #refused({ id }: Wish, code: string): void {
    if (!HARMLESS.has(code)) this.book.violated("lost", `${id} was refused with ${code}`);
  }
}

async function withoutResult(work: Promise<unknown>): Promise<null> {
  await work;
  return null;
}
