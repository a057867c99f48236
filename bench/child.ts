// One measurement in a process of its own: `child.ts JOB` with the job as JSON; the answer goes to the parent as one message.

import type { ContestantName, Place } from "./contestant.ts";
import { holdRuns, work } from "./crash.ts";
import { measureFairness } from "./fairness.ts";
import { measureGrowth } from "./growth.ts";
import { measureItems } from "./items.ts";
import { type Load, measure } from "./loads.ts";
import { openContestant } from "./open-contestant.ts";
import type { Source } from "./ours.ts";
import { slowProxy } from "./postgres/slow-proxy.ts";
import { type Backlog, measureQueue } from "./queue.ts";
import { benchCreation, benchScheduler, fitScheduler } from "./scheduler.ts";
import { measureWaiting } from "./waiting.ts";

export type Job =
  | { readonly kind: "load"; readonly contestant: ContestantName; readonly load: Load; readonly place: Place }
  | { readonly kind: "scheduler" }
  | { readonly kind: "hold"; readonly from: Source; readonly runs: number; readonly place: Place }
  | { readonly kind: "worker"; readonly from: Source; readonly concurrency: number; readonly place: Place; readonly queue?: string }
  | { readonly kind: "announce"; readonly place: Place; readonly queue: string }
  | { readonly kind: "empty-jobs"; readonly queue: string; readonly count: number; readonly concurrency: number }
  | { readonly kind: "fill"; readonly runs: number; readonly place: Place }
  | { readonly kind: "proxy"; readonly server: string; readonly delayMs: number }
  | { readonly kind: "waiting"; readonly from: Source; readonly runs: number; readonly directory: string }
  | { readonly kind: "items"; readonly from: Source; readonly items: number; readonly directory: string }
  | {
      readonly kind: "queue";
      readonly places: readonly [Place, Place];
      readonly backlog: Backlog;
      readonly runs: readonly [number, number];
    }
  | { readonly kind: "fairness"; readonly from: Source; readonly alone: Place; readonly flooded: Place; readonly runs: number }
  | { readonly kind: "growth"; readonly from: Source; readonly scale: number; readonly directory: string };

/** They answer when they are ready, and stay until they are killed. */
const STAYING: readonly Job["kind"][] = ["hold", "worker", "proxy"];

async function execute(job: Job): Promise<object> {
  switch (job.kind) {
    case "load":
      return measure(await openContestant(job.contestant, job.place, job.load.workflow), job.load, job.place);
    case "waiting":
      return measureWaiting(job.directory, job.from, job.runs);
    case "items":
      return measureItems(job.directory, job.from, job.items);
    case "growth":
      return measureGrowth(job.directory, job.from, job.scale);
    case "queue":
      return measureQueue(job.places, job.backlog, job.runs);
    case "fairness":
      return measureFairness(job.from, job.alone, job.flooded, job.runs);
    case "hold":
      return holdRuns(job.place, job.from, job.runs);
    case "worker":
      return work(job.place, job.from, job.concurrency, job.queue);
    case "announce":
      return (await import("./postgres/bull-jobs.ts")).announceAll(job.place, job.queue);
    case "empty-jobs":
      return (await import("./postgres/bull-jobs.ts")).emptyJobs(job.queue, job.count, job.concurrency);
    case "fill":
      return (await import("./postgres/fill.ts")).fillQueue(job.place, job.runs);
    case "proxy":
      return slowProxy(job.server, job.delayMs);
    case "scheduler":
      return { rows: benchScheduler(), fits: fitScheduler(), creation: [3, 10, 100].map((steps) => ({ steps, ...benchCreation(steps) })) };
  }
}

/** It was written by `processes.ts` a moment ago; a whole parser would weigh on the process that is measured. */
function isJob(value: unknown): value is Job {
  return typeof value === "object" && value !== null && "kind" in value;
}

const job: unknown = JSON.parse(process.argv[2] ?? "");
if (!isJob(job)) throw new Error("usage: child.ts JOB");
const abandon = (): void => {
  process.kill(process.pid, "SIGKILL");
};
process.once("disconnect", abandon);
const answer = await execute(job);
process.send?.(answer, () => {
  if (STAYING.includes(job.kind)) return;
  process.off("disconnect", abandon);
  process.disconnect();
});
