import { z } from "zod";
import type { Settings, WorkResult } from "./engine-works.ts";
import { runJob } from "./processes.ts";
import type { Row, Target } from "./report.ts";
import { spreadOf } from "./statistics.ts";

const row = z.object({
  shape: z.string(),
  steps: z.number(),
  edges: z.number(),
  nsPerStep: z.number(),
  fastest: z.number(),
  slowest: z.number(),
  limitNsPerStep: z.number(),
  topologyBytesPerStep: z.number().nullable(),
  runBytesPerStep: z.number().nullable(),
});
const fit = z.object({
  steps: z.number(),
  nsPerStep: z.number(),
  nsPerEdge: z.number(),
  bytesPerStep: z.number().nullable(),
  bytesPerEdge: z.number().nullable(),
});
const creation = z.object({ steps: z.number(), createNs: z.number(), runNs: z.number() });
const answer = z.object({ rows: z.array(row), fits: z.array(fit), creation: z.array(creation) });

/** A larger graph has a target only when it is random. */
const LARGEST_WITH_TARGETS = 100_000;
const MAX_BYTES_PER_STEP = 24;
const MAX_BYTES_PER_EDGE = 5;

/** The scheduler alone: time of every shape and size, memory of a random graph told apart by step and edge. */
export async function w6({ progress }: Settings): Promise<WorkResult> {
  progress("W6");
  const measured = answer.parse(await runJob({ kind: "scheduler" }));
  const common = { limit: null, ratio: null, ratioToRunning: null, resources: null };
  const atMost = (value: number): Target => ({ of: "figure", bound: "at most", value: Math.round(value) });
  const size = (steps: number): string => steps.toLocaleString("en-US");
  const times = measured.rows.map(
    ({ shape, steps, nsPerStep, fastest, slowest, limitNsPerStep }): Row => ({
      ...common,
      work: `W6 ${shape} ${size(steps)}`,
      unit: "ns/step",
      ours: { median: nsPerStep, lowest: fastest, highest: slowest },
      target: steps <= LARGEST_WITH_TARGETS || shape === "random" ? atMost(limitNsPerStep) : null,
    }),
  );
  const memory = measured.fits.flatMap(({ steps, bytesPerStep, bytesPerEdge }): Row[] => {
    if (bytesPerStep === null || bytesPerEdge === null) return [];
    const work = `W6 memory ${size(steps)}`;
    return [
      { ...common, work, unit: "bytes/step", ours: spreadOf([bytesPerStep]), target: atMost(MAX_BYTES_PER_STEP) },
      { ...common, work, unit: "bytes/edge", ours: spreadOf([bytesPerEdge]), target: atMost(MAX_BYTES_PER_EDGE) },
    ];
  });
  return { rows: [...times, ...memory], details: measured };
}
