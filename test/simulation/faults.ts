import { StepwellError } from "../../src/model/errors.ts";
import { type CommitPoint, pointsIn } from "./oracle/commit-points.ts";
import { SIDES, type Side } from "./oracle/write-points.ts";
import type { Pieces } from "./pieces.ts";
import type { Prng } from "./time/prng.ts";

/** What can go wrong in one seed. A seed switches on a random part of it: rare faults meet when the others are silent. */
export interface Swarm {
  /** Probability that the ledger refuses an operation for a while. */
  readonly busy: number;
  /** Probability that an answer takes long, and how long at most. */
  readonly slow: number;
  readonly slowMs: number;
  /** Probability that a look says falsely that somebody else wrote, and that a true one is kept back. */
  readonly falseWakes: number;
  readonly keptWakes: number;
  /** Commits in flight at once: with many lanes, batches shrink to one unit. */
  readonly lanes: number | null;
  /** Whether the wall clocks of processes jump. */
  readonly wallJumps: boolean;
  /** Timers fire a moment early, as real ones may. */
  readonly earlyTimers: boolean;
  /** Probability that an engine is stopped in order instead of restarted after its death alone. */
  readonly orderlyStops: number;
  /** Slots and places in memory: few, so that steps and runs queue. */
  readonly steps: number;
  readonly runs: number;
  /** Whether what a dead process had sent may be written later. */
  readonly zombies: boolean;
}

function drawSwarm(prng: Prng): Swarm {
  const maybe = (value: number): number => (prng.chance(0.4) ? value : 0);
  return {
    busy: maybe(0.08),
    slow: maybe(0.2),
    slowMs: prng.pick([5, 50, 400, 3_000]),
    falseWakes: maybe(0.2),
    keptWakes: maybe(0.5),
    lanes: prng.chance(0.3) ? prng.pick([1, 4, 16]) : null,
    wallJumps: prng.chance(0.3),
    earlyTimers: prng.chance(0.3),
    orderlyStops: maybe(0.5),
    steps: prng.chance(0.3) ? prng.pick([1, 2]) : 1_024,
    runs: prng.chance(0.3) ? prng.pick([1, 2]) : 4_096,
    zombies: prng.chance(0.4),
  };
}

const SILENT: Swarm = {
  busy: 0,
  slow: 0,
  slowMs: 5,
  falseWakes: 0,
  keptWakes: 0,
  lanes: null,
  wallJumps: false,
  earlyTimers: false,
  orderlyStops: 0,
  steps: 1_024,
  runs: 4_096,
  zombies: false,
};

/** Each fault that is on is a piece of its own. */
function keptOf(swarm: Swarm, pieces: Pieces): Swarm {
  const silent = new Map(Object.entries(SILENT));
  const left = Object.entries(swarm).filter(([fault, value]) => value !== silent.get(fault) && !pieces.keeps(`fault ${fault}`));
  return { ...swarm, ...Object.fromEntries(left.map(([fault]) => [fault, silent.get(fault)])) };
}

/** A death that is planned: at the n-th time that a point is passed. */
interface Strike {
  readonly point: CommitPoint;
  readonly side: Side;
  left: number;
}

export type Hits = Map<string, number>;

/** Decides, from a seed, what goes wrong and when; silent once it is switched off. */
export class Faults {
  readonly swarm: Swarm;
  readonly hits: Hits = new Map();
  isOn = true;
  #strikes: Strike[];
  #refusing = 0;
  readonly #prng: Prng;

  constructor(prng: Prng, vocabulary: number, pieces: Pieces) {
    this.#prng = prng;
    const strikes = drawStrikes(prng, vocabulary);
    const stopsInOrder = strikes.some(({ point }) => point === "C36");
    const swarm = { ...drawSwarm(prng), ...(stopsInOrder ? { orderlyStops: 1 } : {}) };
    this.#strikes = strikes.filter((strike, index) => pieces.keeps(`death ${index + 1}, ${strike.side} ${strike.point}`));
    this.swarm = keptOf(swarm, pieces);
  }

  /** The planned deaths that have not happened. */
  get planned(): number {
    return this.#strikes.length;
  }

  /** Whether the process dies on this side of the points that it passes, and at which. */
  strikes(points: readonly CommitPoint[], side: Side): CommitPoint | undefined {
    if (!this.isOn) return undefined;
    const struck = this.#strikes.find((strike) => strike.side === side && points.includes(strike.point) && --strike.left <= 0);
    if (struck === undefined) return undefined;
    this.#strikes = this.#strikes.filter((strike) => strike !== struck);
    // one death shows every point that it fell beside
    for (const point of points) this.hits.set(`${point}.${side}`, (this.hits.get(`${point}.${side}`) ?? 0) + 1);
    return struck.point;
  }

  chance(probability: number): boolean {
    return this.isOn && probability > 0 && this.#prng.chance(probability);
  }

  /** Virtual milliseconds that an operation of the ledger takes. */
  latencyMs(): number {
    return this.chance(this.swarm.slow) ? this.#prng.int(this.swarm.slowMs) : 0;
  }

  /** Why the ledger takes nothing now; a refusal lasts for a few operations. */
  refusal(): StepwellError | undefined {
    if (this.#refusing === 0 && this.chance(this.swarm.busy)) this.#refusing = this.#prng.between(1, 6);
    if (!this.isOn || this.#refusing === 0) return undefined;
    this.#refusing -= 1;
    return new StepwellError(this.#prng.chance(0.5) ? "LEDGER_BUSY" : "LEDGER_FULL", "the simulated ledger takes nothing now");
  }

  /** A jump of a wall clock, forwards or back, by up to a day. */
  wallJumpMs(): number {
    if (!this.swarm.wallJumps || !this.isOn) return 0;
    return this.#prng.pick([0, 3_600_000, -3_600_000, 86_400_000, -2_000, 7_000]);
  }
}

/** Points that a world passes only a few times: there the first time has to do. */
const RARE: ReadonlySet<CommitPoint> = new Set(["C03", "C20", "C21", "C22", "C24", "C25", "C26", "C27", "C28", "C36"]);

/** At least two deaths, at points that the seed chooses; some seeds kill every attempt of one step until its run is held. */
function drawStrikes(prng: Prng, vocabulary: number): Strike[] {
  if (prng.chance(0.08)) {
    const deadly = Array.from({ length: 4 }, (): Strike => ({ point: "C08", side: "after", left: prng.between(1, 2) }));
    return [...deadly, { point: "C26", side: prng.pick(SIDES), left: 1 }];
  }
  return Array.from({ length: prng.between(2, 4) }, (): Strike => {
    const point = prng.pick(pointsIn(vocabulary));
    return { point, side: prng.pick(SIDES), left: RARE.has(point) ? 1 : prng.between(1, 4) };
  });
}
