import { z } from "zod";
import type { Job } from "./child.ts";
import type { ContestantName, Place } from "./contestant.ts";
import type { Load, Sample } from "./loads.ts";
import type { Usage } from "./meter.ts";
import { inOwnPlace } from "./place.ts";
import { serverUsageShape } from "./postgres/server-meter.ts";
import { runJob } from "./processes.ts";
import { type Resources, resourcesOf } from "./report.ts";
import { median } from "./statistics.ts";

export const usageShape: z.ZodType<Usage> = z.object({
  seconds: z.number(),
  cpuSeconds: z.number(),
  otherCores: z.number().nullable(),
  diskFlushes: z.number().nullable(),
  writtenBytes: z.number().nullable(),
  server: serverUsageShape.nullable(),
});
const sample: z.ZodType<Sample> = z.object({
  runs: z.number(),
  runsPerSecond: z.number(),
  stepsPerSecond: z.number(),
  cpuMicrosPerStep: z.number(),
  medianMs: z.number().nullable(),
  p99Ms: z.number().nullable(),
  usage: usageShape,
  peakRssMb: z.number(),
  rssMb: z.array(z.number()),
});

export interface Entry {
  readonly contestant: ContestantName;
  readonly load: Load;
}

/** One measurement in a fresh process, on a server or in a file. */
export function measureOnce(entry: Entry, server: string | null): Promise<Sample> {
  return inOwnPlace(server, (place) => measureIn(place, entry));
}

/** The same in a place that is looked at afterwards. */
export async function measureIn(place: Place, { contestant, load }: Entry): Promise<Sample> {
  return sample.parse(await runJob({ kind: "load", contestant, load, place }));
}

/** The answer of a job in a fresh process with its own data directory, which is removed afterwards. */
export function inOwnFolder(jobIn: (directory: string) => Job): Promise<unknown> {
  return inOwnPlace(null, ({ directory }) => runJob(jobIn(directory)));
}

/** Every entry once, then every entry again: neighbours see the same minute of the machine. Samples per entry, in order. */
export async function interleave(
  entries: readonly Entry[],
  repetitions: number,
  server: string | null,
): Promise<readonly (readonly Sample[])[]> {
  const samples: Sample[][] = entries.map(() => []);
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [index, entry] of entries.entries()) samples[index]?.push(await measureOnce(entry, server));
  }
  return samples;
}

/** The median of each resource over the repetitions. */
export function medianResources(samples: readonly Pick<Sample, "usage" | "runs" | "peakRssMb">[]): Resources {
  const each = samples.map(({ usage, runs, peakRssMb }) => resourcesOf(usage, runs, peakRssMb));
  return {
    cores: median(each.map(({ cores }) => cores)),
    serverCores: medianKnown(each.map(({ serverCores }) => serverCores)),
    otherCores: medianKnown(each.map(({ otherCores }) => otherCores)),
    commitsPerRun: medianKnown(each.map(({ commitsPerRun }) => commitsPerRun)),
    flushesPerRun: medianKnown(each.map(({ flushesPerRun }) => flushesPerRun)),
    writtenKbPerRun: medianKnown(each.map(({ writtenKbPerRun }) => writtenKbPerRun)),
    peakRssMb: Math.max(...each.map(({ peakRssMb }) => peakRssMb)),
  };
}

function medianKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
