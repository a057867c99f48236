import { isTerminalRun } from "../../src/model/status.ts";
import { Asking } from "./ask.ts";
import { seenOf } from "./oracle/seen.ts";
import type { RunTrack } from "./oracle/tracks.ts";
import type { Stimulus } from "./programs/construct.ts";
import { eventId } from "./programs/event.ts";
import type { Prng } from "./time/prng.ts";
import type { World } from "./world.ts";

const TENANT = "default";
const AGAIN_MS = 400;
/** Longer than any virtual life: whoever waits for an event finds it. */
const KEPT_MS = 1_000_000_000_000;
/** When something comes: before anybody waits for it, soon, late, long after. */
const MOMENTS_MS = [0, 0, 5, 60, 700, 4_000, 25_000] as const;

/** Those who send what runs wait for: early, late, twice, and again when they heard nothing. */
export class Outside {
  /** Things that are still to come. */
  busy = 0;
  readonly #world: World;
  readonly #prng: Prng;
  readonly #asking: Asking;
  /** By run: what is on its way or there, by name. */
  readonly #known = new Map<RunTrack, string[]>();

  constructor(world: World) {
    this.#world = world;
    this.#prng = world.prng.fork();
    this.#asking = new Asking(world);
    world.log.onInserted = (run) => this.#attend(run);
    world.log.onAwaiting = (run) => this.#attend(run);
  }

  /**
   * All that a run needs is on its way: as soon as it is durable what it needs if all goes well, and when it waits for something what it needs
   * by what was seen of it. A step that timed out, or whose outcome a crash hid, may let another one run that would have been left out.
   */
  #attend(run: RunTrack): void {
    const needed = run.program?.predict(seenOf(run, this.#world.log.runs)).stimuli ?? [];
    const known = this.#known.get(run) ?? [];
    this.#known.set(run, known);
    const left = [...known];
    for (const stimulus of needed) {
      const name = nameOf(stimulus);
      const at = left.indexOf(name);
      if (at < 0) this.#send(run, stimulus, known.push(name) - 1);
      else left.splice(at, 1);
    }
  }

  #send(run: RunTrack, stimulus: Stimulus, index: number): void {
    const copies = this.#prng.chance(0.2) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) this.#come(run, stimulus, `${run.insert.publicId}/${index}`);
  }

  #come(run: RunTrack, stimulus: Stimulus, id: string): void {
    this.busy += 1;
    const isElsewhere = this.#prng.chance(0.3);
    this.#world.kernel.after(this.#prng.pick(MOMENTS_MS) + this.#prng.int(50), null, () => {
      void this.#told(run, stimulus, id, isElsewhere).finally(() => {
        this.busy -= 1;
      });
    });
  }

  /** Tells it until it is acknowledged, or the run has ended. */
  async #told(run: RunTrack, stimulus: Stimulus, id: string, isElsewhere: boolean): Promise<void> {
    for (;;) {
      if (isTerminalRun(run.status)) return;
      try {
        const isTold =
          stimulus.kind === "event" ? await this.#published(run, stimulus, isElsewhere) : await this.#sent(run, stimulus, id, isElsewhere);
        if (isTold) return;
      } catch {
        if (!isTerminalRun(run.status)) this.#world.log.violated("P7", `run ${run.insert.publicId} is ${run.status} and refused a signal`);
        return;
      }
      await this.#world.kernel.sleep(this.#prng.between(1, AGAIN_MS));
    }
  }

  async #sent(
    { insert, inbox }: RunTrack,
    { name, value }: Stimulus & { readonly kind: "signal" },
    signalId: string,
    isElsewhere: boolean,
  ): Promise<boolean> {
    const { publicId } = insert;
    const entry = { tenant: TENANT, publicId, kind: "signal", name, payload: { value }, actor: "outside", signalId } as const;
    const told = isElsewhere
      ? await this.#asking.elsewhere(({ ledger }) => ledger.accept(entry))
      : await this.#asking.engine(({ engine }) => engine.commands.signal(publicId, name, { value }, { id: signalId }).then(() => true));
    if (told !== undefined && !inbox.some(({ row }) => row.signalId === signalId))
      this.#world.log.violated("P1", `signal ${signalId} was acknowledged before it was durable`);
    return told !== undefined;
  }

  async #published({ insert }: RunTrack, stimulus: Stimulus & { readonly kind: "event" }, isElsewhere: boolean): Promise<boolean> {
    const { event, key, value } = stimulus;
    const id = eventId(insert.publicId, stimulus);
    const data = { run: insert.publicId, key, value };
    const told = isElsewhere
      ? await this.#asking.elsewhere(({ ledger }) => ledger.events.publish({ tenant: TENANT, event, id, data, retainMs: KEPT_MS }))
      : await this.#asking.engine(({ engine }) => engine.commands.publish(event, data, { id, retain: KEPT_MS }));
    if (told !== undefined && !this.#world.log.events.has(id))
      this.#world.log.violated("P1", `event ${id} was acknowledged before it was durable`);
    return told !== undefined;
  }
}

/** What tells it from the others of its run; several signals may have one name, for as many waits. */
function nameOf(stimulus: Stimulus): string {
  return stimulus.kind === "signal" ? `signal ${stimulus.name}` : `event ${stimulus.event} ${stimulus.key}`;
}
