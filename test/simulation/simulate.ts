import { loadJsonata } from "../../src/expressions/index.ts";
import { isTerminalRun } from "../../src/model/status.ts";
import { Clients, drawWish, type Wish } from "./clients.ts";
import { compileOnce } from "./compiled.ts";
import type { Hits } from "./faults.ts";
import { FinalState } from "./oracle/final-state.ts";
import type { RunTrack } from "./oracle/tracks.ts";
import { Pieces } from "./pieces.ts";
import type { Program } from "./programs/construct.ts";
import { growWho } from "./programs/flow.ts";
import { growProgram, NEWEST_VOCABULARY } from "./programs/program.ts";
import type { StoreKind } from "./storage/store.ts";
import type { Prng } from "./time/prng.ts";
import { type Scene, World } from "./world.ts";

/** What makes one world. */
export interface Seed {
  readonly seed: number;
  readonly ledger: StoreKind;
  /** The vocabulary that its programs are made of: the newest when nothing is said. */
  readonly vocabulary?: number;
  /** The pieces that it is made of: all when nothing is said. */
  readonly only?: readonly string[];
}

export interface SeedReport {
  readonly seed: number;
  readonly ledger: StoreKind;
  /** What it is made of and could do without. */
  readonly pieces: readonly string[];
  /** Empty: everything held. */
  readonly violations: readonly string[];
  readonly story: readonly string[];
  /** SHA-256 of everything that happened, in order. */
  readonly digest: string;
  readonly hits: Hits;
  readonly runs: number;
  readonly steps: number;
  readonly crashes: number;
  readonly effects: number;
  readonly suspensions: number;
}

const FEWEST_RUNS = 3;
const FEWEST_STEPS = 20;
const SMALLEST_PROGRAM = 7;
const FEWEST_SUSPENSIONS = 2;
const FEWEST_CRASHES = 2;
const MOST_RIVALS = 2;
/** Picks with faults; then they are silent. */
const FAULTY_PICKS = 4_000;
/** Within so many picks every run has ended, or it never will. */
const CALM_PICKS = 60_000;
/** Picks after the last end in which the deaths that are still planned may find their moment. */
const IDLE_PICKS = 100;
/** Picks that an engine gets before it is killed for want of another crash. */
const LIFE_PICKS = 200;

/**
 * One seed: programs, callers and faults; then calm; then the question whether everything that was promised held.
 */
export async function simulate(
  { seed, ledger, vocabulary = NEWEST_VOCABULARY, only }: Seed,
  { listen = () => undefined, compile = compileOnce() }: Partial<Pick<Scene, "listen" | "compile">> = {},
): Promise<SeedReport> {
  // what is loaded while a world lives makes it another one: how long that takes depends on what the process has loaded before
  await loadJsonata();
  const scene: Scene = { seed, ledger, vocabulary, pieces: new Pieces(only), compile, listen };
  const world = new World(scene);
  try {
    await live(world, scene);
    const runs = world.log.runs.size;
    const steps = [...world.log.runs.values()].reduce((sum, run) => sum + run.steps.size, 0);
    const effects = [...world.sink.effects.values()].reduce((sum, each) => sum + each.length, 0);
    const { story, crashes, faults, log } = world;
    return {
      seed,
      ledger,
      pieces: scene.pieces.kept,
      violations: log.violations,
      story,
      digest: world.digest(),
      hits: faults.hits,
      runs,
      steps,
      crashes,
      effects,
      suspensions: log.suspensions,
    };
  } finally {
    world.store.destroy();
  }
}

async function live(world: World, scene: Scene): Promise<void> {
  const { kernel, log, faults } = world;
  const { pieces } = scene;
  const { ledger: rows } = await world.store.connect(world.newProcess("observer"));
  const finalState = new FinalState(rows, world);
  const clients = new Clients(world);
  const plannedSteps = grantWishes(world, clients, scene);
  world.supervise();
  clients.release();
  const isBroken = (): boolean => log.violations.length > 0;
  const isOver = (): boolean => !clients.busy && [...log.runs.values()].every(({ status }) => isTerminalRun(status));
  let idle = 0;
  await kernel.run(FAULTY_PICKS, () => {
    idle = isOver() ? idle + 1 : 0;
    return isBroken() || (idle > 0 && faults.planned === 0) || idle > IDLE_PICKS;
  });
  world.calm();
  for (const track of log.runs.values()) await finalState.checkUnfinished(track);
  await world.verify();
  if (pieces.keeps("deaths for want of others")) while (world.crashes < FEWEST_CRASHES && !isBroken()) await killOnce(world);
  await kernel.run(CALM_PICKS, () => isBroken() || isOver());
  if (!isBroken() && !isOver()) log.violated("P2", `stuck: ${[...log.runs.values()].map((track) => standing(track)).join(", ")}`);
  if (isBroken()) return;
  for (const { insert } of log.runs.values()) await finalState.check(insert.publicId);
  await finalState.checkTasks();
  await world.verify();
  for (const publicId of clients.acknowledged.keys())
    if (!log.byPublicId.has(publicId)) log.violated("I1", `run ${publicId} was acknowledged and is lost`);
  const isDull = log.suspensions < FEWEST_SUSPENSIONS || plannedSteps < FEWEST_STEPS;
  if (pieces.isWhole && isDull && !isBroken()) log.violated("seed", `only ${log.suspensions} waits and ${plannedSteps} steps`);
}

/** Another death, for want of one that was planned; the engine may be opening or at work. */
async function killOnce(world: World): Promise<void> {
  const { kernel, log } = world;
  await kernel.run(LIFE_PICKS, () => log.violations.length > 0);
  await kernel.run(CALM_PICKS, () => world.current !== undefined);
  world.crashes += 1;
  world.current?.process.die();
}

/** Returns how many steps the programs have. */
function grantWishes(world: World, clients: Clients, { pieces, vocabulary }: Scene): number {
  const { prng } = world;
  const mayBeLimited = vocabulary >= 4 && prng.chance(0.5);
  const runs = FEWEST_RUNS + (prng.chance(0.25) ? 1 : 0);
  let steps = 0;
  // one seed in a hundred thousand draws programs so small that it takes another one
  for (let index = 0; index < runs || (steps < FEWEST_STEPS && pieces.isWhole); index++) {
    // the first one waits twice whatever comes, and neither a person nor time ends it
    const waits = index === 0 ? FEWEST_SUSPENSIONS : prng.int(2);
    const size = SMALLEST_PROGRAM + prng.int(3);
    const name = `w${index}`;
    const keeps = (part: string): boolean => pieces.keeps(part);
    const growth = { steps: size, waits, mayTimeOut: index > 0, generations: 1, vocabulary, keeps, mayBeLimited };
    const program = growProgram(prng.fork(), name, growth);
    for (const each of [...program.children, program]) world.programs.set(each.name, each);
    const inBodies = [...program.calls.keys(), ...program.blocks.keys()].filter((path) => path.includes("."));
    steps += program.ids.length + inBodies.length;
    const wish = keptOf(drawWish(prng, program), pieces);
    const sure = index === 0 ? { ...wish, cancelsAfterMs: null, key: wish.key ?? "sure" } : wish;
    const others = drawRivals(prng, program);
    if (pieces.keeps(`run of ${name}`)) clients.grant(sure);
    for (const [copy, other] of others.entries()) if (pieces.keeps(`run ${copy + 1} of ${name}`)) clients.grant(keptOf(other, pieces));
  }
  return steps;
}

/** Who wants runs of a program that has limits, beside the first: or nobody would come up to one. */
function drawRivals(prng: Prng, program: Program): readonly Wish[] {
  if (program.flow.limits.length === 0) return [];
  return Array.from({ length: prng.between(1, MOST_RIVALS) }, (_, index) => {
    const wish = drawWish(prng, program, index + 1);
    return { ...wish, input: { ...wish.input, ...growWho(prng) } };
  });
}

/** A wish without what is left out of it. */
function keptOf(wish: Wish, pieces: Pieces): Wish {
  const { name } = wish.program;
  const kept = (what: string, afterMs: number | null): number | null =>
    afterMs === null || pieces.keeps(`${what} of ${name}`) ? afterMs : null;
  return {
    ...wish,
    cancelsAfterMs: kept("cancel", wish.cancelsAfterMs),
    nudgedAfterMs: kept("nudge", wish.nudgedAfterMs),
    pausedAfterMs: kept("pause", wish.pausedAfterMs),
  };
}

function standing({ insert, status, reason }: RunTrack): string {
  return `${insert.publicId} ${status}${reason === null ? "" : ` (${reason})`}`;
}
