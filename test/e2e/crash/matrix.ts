import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SIDES, type Side } from "../../simulation/oracle/write-points.ts";
import { CRASH_POINTS, type Crash, type CrashPoint, POINT_NAMES } from "./crash-points.ts";
import { WarmEngines } from "./engine-host.ts";
import { type Finding, type Place, runSchedule } from "./run-schedule.ts";
import { crashing } from "./schedule.ts";
import { EffectSink } from "./sink.ts";

/** In memory where that is possible: a killed process loses nothing that the kernel has taken, so the disk would prove no more. */
const BASE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
/** Survives, so that thousands of processes need not be compiled anew. */
const COMPILE_CACHE = join(tmpdir(), "stepwell-crash-compiled");
/** Occurrences of a point that the short matrix chooses from. */
const OCCURRENCES = 3;
/** Until the point was come to: which of several parallel things comes first is the machine's choice. */
const TRIES = 4;

/** Gives `work` a directory, a sink and engines of its own. */
export async function withPlace<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(BASE, "stepwell-crash-"));
  try {
    await using sink = await EffectSink.open(join(directory, "sink.jsonl"));
    await using engines = new WarmEngines(COMPILE_CACHE);
    return await work({ directory, sink, engines });
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** How many processes have died at which side of which point. */
export class HitTable {
  readonly #hits = new Map<string, number>();

  add(crashes: readonly Crash[]): void {
    for (const { point, side } of crashes) this.#hits.set(`${point}.${side}`, this.of(point, side) + 1);
  }

  of(point: CrashPoint, side: Side): number {
    return this.#hits.get(`${point}.${side}`) ?? 0;
  }

  /** Sides at which no process has died. */
  get missing(): readonly string[] {
    return POINT_NAMES.flatMap((point) => SIDES.filter((side) => this.of(point, side) === 0).map((side) => `${point} ${side}`));
  }

  toString(): string {
    const lines = POINT_NAMES.map(
      (point) =>
        `${point} ${String(this.of(point, "before")).padStart(6)} ${String(this.of(point, "after")).padStart(6)}  ${CRASH_POINTS[point]}`,
    );
    return ["point before  after", ...lines].join("\n");
  }
}

/**
 * Crashes at each side of each point, in as many lanes side by side: the first engine dies before the point and the second one after
 * it, and where one of them did not come to it, another schedule has that crash alone.
 */
export async function crashEverywhere(seed: number, lanes: number, each: (finding: Finding) => void): Promise<void> {
  const left = [...POINT_NAMES];
  let made = 0;
  const attempt = async (place: Place, crashes: readonly Crash[]): Promise<readonly Crash[]> => {
    made += 1;
    const finding = await runSchedule(crashing(crashes, seed + made), place);
    each(finding);
    return crashes.filter(({ side }) => !finding.crashes.some((crash) => crash.side === side));
  };
  const lane = (): Promise<void> =>
    withPlace(async (place) => {
      for (let point = left.shift(); point !== undefined; point = left.shift()) {
        const crashes = SIDES.map((side) => ({ point, side, nth: 1 + ((seed + left.length) % OCCURRENCES) }));
        for (const missed of await attempt(place, crashes)) {
          for (let tries = 1; tries < TRIES; tries++) if ((await attempt(place, [{ ...missed, nth: 1 }])).length === 0) break;
        }
      }
    });
  await Promise.all(Array.from({ length: lanes }, lane));
}
