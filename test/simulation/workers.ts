import type { Json } from "../../src/model/json.ts";
import { parseJsonOrNull } from "../../src/model/json.ts";
import { Asking } from "./ask.ts";
import { isClosed, type TaskTrack } from "./oracle/task-log.ts";
import { doneWith, TOPICS } from "./programs/task.ts";
import type { Prng } from "./time/prng.ts";
import type { World } from "./world.ts";

const TENANT = "default";
const NAMES = ["left", "right"] as const;
const POLL_MS = 40;
const RARELY_MS = 60_000;
const AGAIN_MS = 200;
const RESTORED_AFTER_MS = 5_000;
/** Probabilities that a worker never comes back with its work, and that it takes longer than its lease. */
const VANISHES = 0.12;
const IS_SLOW = 0.2;

/** Work that a worker has, as it was told. */
interface Held {
  readonly id: string;
  readonly token: string;
  readonly payload: Json;
  readonly leaseMs: number;
  readonly isElsewhere: boolean;
}

/** Remote workers, which poll, beat, finish, fail, take too long and vanish; and somebody who restores dead letters. */
export class Workers {
  readonly #world: World;
  readonly #prng: Prng;
  readonly #asking: Asking;
  readonly #waking: (() => void)[] = [];
  #tokens = 0;

  constructor(world: World) {
    this.#world = world;
    this.#prng = world.aside.fork();
    this.#asking = new Asking(world, { final: ["TASK_CLOSED", "TASK_EXPIRED", "TASK_LEASE_LOST"] });
    for (const name of NAMES) void this.#live(name);
  }

  /** There is work. */
  attend(): void {
    for (const wake of this.#waking.splice(0)) wake();
  }

  /** A dead letter is work again after a while. */
  restore(task: TaskTrack): void {
    this.#world.kernel.after(this.#prng.int(RESTORED_AFTER_MS), null, () => void this.#restored(task));
  }

  async #restored(task: TaskTrack): Promise<void> {
    while (task.status === "DEAD_LETTER") {
      const { restored } = task;
      const isTold = await this.#asking.engine(({ engine }) => engine.tasks.restore(task.publicId)).catch(() => undefined);
      if (isTold !== undefined && task.restored === restored)
        this.#world.log.violated("P1", `the restoring of ${task.where} was acknowledged before it was durable`);
      await this.#world.kernel.sleep(this.#prng.between(1, AGAIN_MS));
    }
    this.attend();
  }

  async #live(name: string): Promise<void> {
    let pauseMs = POLL_MS;
    for (;;) {
      if (!this.#hasWork()) {
        await new Promise<void>((resolve) => this.#waking.push(resolve));
        pauseMs = POLL_MS;
      }
      const held = await this.#polled(name);
      if (held === undefined) {
        await this.#world.kernel.sleep(pauseMs);
        pauseMs = Math.min(pauseMs * 2, RARELY_MS);
      } else {
        pauseMs = POLL_MS;
        await this.#perform(held).catch(() => undefined);
      }
    }
  }

  #hasWork(): boolean {
    return [...this.#world.log.tasks.all.values()].some(({ status, topic }) => !isClosed(status) && isPolled(topic));
  }

  async #polled(worker: string): Promise<Held | undefined> {
    const topic = this.#prng.pick(TOPICS);
    if (!this.#prng.chance(0.3)) {
      const given = await this.#asking.engine(({ engine }) => engine.tasks.poll(topic, { worker }));
      return given?.map(({ id, token, payload }) => this.#held(id, token, payload, false))[0];
    }
    const token = `token-${++this.#tokens}`;
    const rows = await this.#asking.elsewhere(({ ledger }) => ledger.tasks.poll({ tenant: TENANT, topic, worker, token, limit: 1 }));
    return rows?.map(({ publicId, payload }) => this.#held(publicId, token, parseJsonOrNull(payload), true))[0];
  }

  #held(id: string, token: string, payload: Json, isElsewhere: boolean): Held {
    return { id, token, payload, leaseMs: this.#world.log.tasks.of(id)?.leaseMs ?? 0, isElsewhere };
  }

  async #perform(held: Held): Promise<void> {
    const { kernel, faults, log } = this.#world;
    const { leaseMs, id, token } = held;
    if (faults.chance(VANISHES)) {
      // it comes back when somebody else may have the task
      kernel.after(leaseMs + this.#prng.int(leaseMs), null, () => void this.#complete(held).catch(() => undefined));
      return;
    }
    const takesMs = faults.chance(IS_SLOW) ? leaseMs * 2 : this.#prng.pick([0, 1, Math.floor(leaseMs / 3)]);
    await kernel.sleep(Math.floor(takesMs / 2));
    if (this.#prng.chance(0.5)) await this.#beat(held);
    await kernel.sleep(Math.floor(takesMs / 2));
    const task = log.tasks.of(id);
    if (task?.plan.type !== "work" || task.reported >= task.plan.failures) return this.#complete(held);
    const retryable = !task.plan.isHopeless;
    await this.#asking.engine(({ engine }) => engine.tasks.fail(id, token, "not now", { retryable }));
  }

  async #beat({ id: publicId, token, isElsewhere }: Held): Promise<void> {
    if (isElsewhere) await this.#asking.elsewhere(({ ledger }) => ledger.tasks.heartbeat({ tenant: TENANT, publicId, token }));
    else await this.#asking.engine(({ engine }) => engine.tasks.heartbeat(publicId, token));
  }

  /** Says so until there is an answer. */
  async #complete({ id: publicId, token, payload, isElsewhere }: Held): Promise<void> {
    const result = doneWith(payload);
    for (;;) {
      const told = isElsewhere
        ? await this.#asking.elsewhere(({ ledger }) => ledger.tasks.complete({ tenant: TENANT, publicId, token }, result))
        : await this.#asking.engine(({ engine }) => engine.tasks.complete(publicId, token, result));
      if (told !== undefined) break;
      await this.#world.kernel.sleep(this.#prng.between(1, AGAIN_MS));
    }
    const task = this.#world.log.tasks.of(publicId);
    if (task?.status !== "DONE" || task.token !== token)
      this.#world.log.violated("P1", `task ${publicId} was acknowledged as done before that was durable`);
  }
}

function isPolled(topic: string | null): boolean {
  return TOPICS.some((polled) => polled === topic);
}
