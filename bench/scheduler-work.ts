import { z } from "zod";
import type { Settings, WorkResult } from "./engine-works.ts";
import { runJob } from "./processes.ts";
import type { Row, Target } from "./report.ts";
import type { W6Fit, W6Row } from "./scheduler.ts";
import { spreadOf } from "./statistics.ts";

const row: z.ZodType<W6Row> = z.object({
  shape: z.string(),
  steps: z.number(),
  edges: z.number(),
  nsPerStep: z.number(),
  fastest: z.number(),
  slowest: z.number(),
  limitNsPerStep: z.number(),
  topologyBytesPerStep: z.number(),
  runBytesPerStep: z.number(),
});
const fit: z.ZodType<W6Fit> = z.object({
  steps: z.number(),
  nsPerStep: z.number(),
  nsPerEdge: z.number(),
  bytesPerStep: z.number(),
  bytesPerEdge: z.number(),
});
const creation = z.object({ steps: z.number(), createNs: z.number(), runNs: z.number() });
const answer = z.object({ rows: z.array(row), fits: z.array(fit), creation: z.array(creation) });

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
      target: atMost(limitNsPerStep),
    }),
  );
  const memory = measured.fits.flatMap(({ steps, bytesPerStep, bytesPerEdge }): Row[] => [
    { ...common, work: `W6 memory ${size(steps)}`, unit: "bytes/step", ours: spreadOf([bytesPerStep]), target: atMost(MAX_BYTES_PER_STEP) },
    { ...common, work: `W6 memory ${size(steps)}`, unit: "bytes/edge", ours: spreadOf([bytesPerEdge]), target: atMost(MAX_BYTES_PER_EDGE) },
  ]);
  return { rows: [...times, ...memory], details: measured };
}
