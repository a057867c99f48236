import type { JsonObject } from "../../src/model/json.ts";
import { isTerminalRun } from "../../src/model/status.ts";
import { Asking } from "./ask.ts";
import { Outside } from "./outside.ts";
import { People } from "./people.ts";
import type { Program } from "./programs/construct.ts";
import { asksFor } from "./programs/flow.ts";
import { INPUT } from "./programs/input.ts";
import type { Prng } from "./time/prng.ts";
import { Workers } from "./workers.ts";
import type { Incarnation, World } from "./world.ts";

const TENANT = "default";
const AGAIN_MS = 150;
const FIRST_START_MS = 800;
const CANCEL_MS = 2_500;
const PAUSE_MS = 4_000;
const RELEASE_MS = 3_000;
const RARELY_MS = 300_000;
/** What a caller wants of a run. */
export interface Wish {
  readonly program: Program;
  readonly input: JsonObject;
  /** Null: the caller cannot try again, because nobody would know the run by it. */
  readonly key: string | null;
  /** Through another process's own handle. */
  readonly isElsewhere: boolean;
  readonly startsAfterMs: number;
  /** Null: it is left to end. */
  readonly cancelsAfterMs: number | null;
  /** Somebody lets it go on although nothing holds it: that must change nothing. */
  readonly nudgedAfterMs: number | null;
  /** Null: nobody pauses it. Whoever does lets it go on later. */
  readonly pausedAfterMs: number | null;
}

/** @param copy tells it from the others that want a run of the program */
export function drawWish(prng: Prng, program: Program, copy = 0): Wish {
  const name = copy === 0 ? program.name : `${program.name}-${copy}`;
  return {
    program,
    input: INPUT,
    key: prng.chance(0.8) ? `start-${name}-${prng.int(1_000)}` : null,
    isElsewhere: prng.chance(0.2),
    startsAfterMs: prng.int(FIRST_START_MS),
    cancelsAfterMs: prng.chance(0.3) ? prng.int(CANCEL_MS) : null,
    nudgedAfterMs: prng.chance(0.3) ? prng.int(CANCEL_MS) : null,
    pausedAfterMs: prng.chance(0.3) ? prng.int(PAUSE_MS) : null,
  };
}

/** Those who start, watch, cancel and release runs; they live as long as the world. */
export class Clients {
  /** Runs whose start was acknowledged, by public id. */
  readonly acknowledged = new Map<string, Program>();
  /** Their runs, by what they were started with. */
  readonly #byKey = new Map<string, string>();
  /** Starts and cancels that are still being tried. */
  #busy = 0;
  readonly #outside: Outside;
  readonly #people: People;
  readonly #asking: Asking;
  readonly #world: World;
  readonly #prng: Prng;
  readonly #registered = new Set<Program>();

  constructor(world: World) {
    this.#world = world;
    this.#prng = world.prng.fork();
    this.#asking = new Asking(world, { tolerated: ["LEDGER_CONFLICT"] });
    this.#outside = new Outside(world);
    this.#people = new People(world);
    const workers = new Workers(world);
    world.log.tasks.onOpened = (task) => (task.plan.type === "approval" ? this.#people.attend(task, task.plan) : workers.attend());
    world.log.tasks.onDead = (task) => workers.restore(task);
  }

  /** Something is still being tried, or on its way. */
  get busy(): boolean {
    return this.#busy > 0 || this.#outside.busy > 0 || this.#people.busy > 0;
  }

  /** Starts what is wished, perhaps twice at once under one key, follows it, and cancels it in time. */
  grant(wish: Wish): void {
    this.#busy += 1;
    void this.#pursue(wish).finally(() => {
      this.#busy -= 1;
    });
    if (wish.key !== null && this.#prng.chance(0.2)) {
      this.#busy += 1;
      void this.#started(wish).finally(() => {
        this.#busy -= 1;
      });
    }
  }

  /** Lets runs go on that are held because they took down too many engines, or that somebody paused. */
  release(pauseMs: number = RELEASE_MS): void {
    this.#world.kernel.after(this.#prng.between(200, pauseMs), null, () => {
      // the longer nothing is held the more rarely: a ledger whose time stands still for an hour is waited for
      let nextMs = Math.min(pauseMs * 2, RARELY_MS);
      for (const { status, reason, pausedBy, insert } of this.#world.log.runs.values()) {
        const isHeld = status === "SUSPENDED" && reason === "quarantined";
        if (isTerminalRun(status) || (!isHeld && pausedBy === null)) continue;
        nextMs = RELEASE_MS;
        void this.#resumed(insert.publicId);
      }
      this.release(nextMs);
    });
  }

  async #resumed(publicId: string): Promise<void> {
    this.#world.tell(`somebody lets ${publicId} go on`);
    // it may have ended meanwhile
    await this.#asking.engine(({ engine }) => engine.commands.resume(publicId, "person")).catch(() => undefined);
  }

  async #paused(publicId: string, isElsewhere: boolean): Promise<void> {
    this.#world.tell(`somebody pauses ${publicId}`);
    const entry = { tenant: TENANT, publicId, kind: "pause", payload: null, actor: "person" } as const;
    const told = isElsewhere
      ? this.#asking.elsewhere(({ ledger }) => ledger.accept(entry))
      : this.#asking.engine(({ engine }) => engine.commands.pause(publicId, "person"));
    await told.catch(() => undefined);
  }

  async #pursue(wish: Wish): Promise<void> {
    const { kernel, log } = this.#world;
    await kernel.sleep(wish.startsAfterMs);
    const publicId = await this.#started(wish);
    if (publicId === undefined) return;
    if (!log.byPublicId.has(publicId)) log.violated("P1", `the start of run ${publicId} was acknowledged before it was durable`);
    void this.#followed(publicId);
    if (wish.nudgedAfterMs !== null) kernel.after(wish.nudgedAfterMs, null, () => void this.#resumed(publicId));
    if (wish.pausedAfterMs !== null) kernel.after(wish.pausedAfterMs, null, () => void this.#paused(publicId, wish.isElsewhere));
    if (wish.cancelsAfterMs === null) return;
    await kernel.sleep(wish.cancelsAfterMs);
    await this.#cancelled(publicId, wish.isElsewhere);
  }

  /** The id of the run, or undefined when the caller gave up. */
  async #started(wish: Wish): Promise<string | undefined> {
    const { program, input, key, isElsewhere } = wish;
    for (;;) {
      const publicId = isElsewhere
        ? await this.#enqueued(wish)
        : await this.#asking.engine(async (incarnation) => {
            await this.#registers(program, incarnation);
            return incarnation.engine.start(program.name, input, key === null ? {} : { idempotencyKey: key });
          });
      if (publicId !== undefined) {
        const known = this.#byKey.get(key ?? publicId) ?? publicId;
        if (known !== publicId) this.#world.log.violated("P6", `key ${key} started ${known} and ${publicId}`);
        this.#byKey.set(key ?? publicId, publicId);
        this.acknowledged.set(publicId, program);
        return publicId;
      }
      if (key === null) return undefined;
      await this.#world.kernel.sleep(this.#prng.between(1, AGAIN_MS));
    }
  }

  /** Whoever starts a run makes sure that its workflow is there. */
  async #registers(program: Program, { engine }: Incarnation): Promise<true> {
    for (const each of [...program.children, program]) {
      if (!this.#registered.has(each)) await engine.register(each.definition);
      this.#registered.add(each);
    }
    return true;
  }

  async #enqueued({ program, input, key }: Wish): Promise<string | undefined> {
    if ((await this.#asking.engine((incarnation) => this.#registers(program, incarnation))) === undefined) return undefined;
    const run = {
      publicId: this.#world.newId(),
      tenant: TENANT,
      input: JSON.stringify(input),
      labels: null,
      initiator: "elsewhere",
      trigger: "call",
      environment: "simulation",
      idempotencyKey: key,
      idempotencyHash: key === null ? null : "elsewhere",
      deadlineInMs: null,
      workerGroup: "default",
      admission: asksFor(program, input),
    };
    const enqueued = await this.#asking.elsewhere(async ({ ledger }) => {
      const version = await ledger.latestVersion(TENANT, program.name);
      return version === undefined ? undefined : ledger.enqueueRun({ ...run, versionId: version.id });
    });
    return enqueued?.publicId;
  }

  /** Somebody waits for the run's result for as long as an engine is there to give it. */
  async #followed(publicId: string): Promise<void> {
    for (;;) {
      const outcome = await this.#asking.engine(({ engine }) => engine.result(publicId));
      if (outcome !== undefined) {
        this.#world.answered(outcome);
        return;
      }
      await this.#world.kernel.sleep(AGAIN_MS);
    }
  }

  async #cancelled(publicId: string, isElsewhere: boolean): Promise<void> {
    const { log, kernel } = this.#world;
    for (;;) {
      const track = log.byPublicId.get(publicId);
      if (track === undefined || isTerminalRun(track.status)) return;
      try {
        const entry = { tenant: TENANT, publicId, kind: "cancel", payload: null, actor: "caller" } as const;
        const accepted = isElsewhere
          ? await this.#asking.elsewhere(async ({ ledger }) => ledger.accept(entry))
          : await this.#asking.engine(async ({ engine }) => engine.commands.cancel(publicId, "caller").then(() => true));
        const isDone = accepted !== undefined;
        if (isDone && track.cancelledAt === null)
          log.violated("P1", `the cancel of run ${publicId} was acknowledged before it was durable`);
        if (isDone) return;
      } catch {
        this.#finished(publicId);
        return;
      }
      // who heard nothing tries again, or leaves it
      if (this.#prng.chance(0.3)) return;
      await kernel.sleep(this.#prng.between(1, AGAIN_MS));
    }
  }

  #finished(publicId: string): void {
    const status = this.#world.log.byPublicId.get(publicId)?.status;
    if (status === undefined || !isTerminalRun(status)) this.#world.log.violated("P8", `run ${publicId} is ${status} and refused a cancel`);
  }
}
