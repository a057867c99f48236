import { setTimeout as sleep } from "node:timers/promises";
import type { Place } from "./contestant.ts";
import type { Settings, WorkResult } from "./engine-works.ts";
import { completedRuns, sourceOf } from "./ours.ts";
import { inOwnPlace } from "./place.ts";
import { startJob } from "./processes.ts";
import type { Row } from "./report.ts";
import { spreadOf } from "./statistics.ts";

const RUNS = 1_000;
const LOOK_EVERY_MS = 20;
/** That of a worker by default. */
const LEASE_S = 10;
const MAX_AFTER_LEASE_S = 2;
const MAX_RESTART_S = 1;
const GIVE_UP_MS = 60_000;

/** standby: another worker is there already. restart: the next one is started when the first is dead. */
type Successor = "standby" | "restart";

/**
 * A worker with 1,000 runs in their second of three steps is killed: seconds until another process has ended them all. In a shared
 * ledger they are the dead worker's until its lease has run out, and what comes after that is shown.
 */
export async function w5(settings: Settings): Promise<WorkResult> {
  const isShared = settings.server !== null;
  const successors: readonly Successor[] = isShared ? ["standby", "restart"] : ["restart"];
  const rows: Row[] = [];
  for (const successor of successors) {
    settings.progress(`W5 ${successor}`);
    const seconds: number[] = [];
    for (let repetition = 0; repetition < settings.repetitions; repetition++) {
      seconds.push(await inOwnPlace(settings.server, (place) => crash(settings, place, successor)));
    }
    rows.push({
      work: `W5 ${successor}`,
      unit: isShared ? `s after ${LEASE_S} s of lease` : "s",
      ours: spreadOf(isShared ? seconds.map((value) => value - LEASE_S) : seconds),
      limit: null,
      ratio: null,
      ratioToRunning: null,
      target: { of: "figure", bound: "at most", value: isShared ? MAX_AFTER_LEASE_S : MAX_RESTART_S },
      resources: null,
    });
  }
  return { rows, details: rows.map(({ work, ours }) => ({ work, ours })) };
}

/** Seconds from the kill until all runs have ended. */
async function crash({ ours }: Settings, place: Place, successor: Successor): Promise<number> {
  const from = sourceOf(ours);
  const first = await startJob({ kind: "hold", from, runs: RUNS, place });
  const work = { kind: "worker", from, concurrency: RUNS, place } as const;
  const standby = successor === "standby" ? await startJob(work) : undefined;
  const killedAt = performance.now();
  await first.kill();
  const next = standby ?? (await startJob(work));
  while ((await completedRuns(place)) < RUNS) {
    if (performance.now() - killedAt > GIVE_UP_MS) throw new Error(`after a minute only ${await completedRuns(place)} runs have ended`);
    await sleep(LOOK_EVERY_MS);
  }
  const seconds = (performance.now() - killedAt) / 1_000;
  await next.kill();
  return seconds;
}
