import { z } from "zod";
import { SIDES } from "../../simulation/oracle/write-points.ts";
import { type CrashPoint, isPoint } from "./crash-points.ts";

const Point = z.string().transform((name, context): CrashPoint => {
  if (isPoint(name)) return name;
  context.addIssue({ code: "custom", message: `${name} is no crash point` });
  return z.NEVER;
});
/** Where an engine dies. */
export const CrashPlace = z.object({ point: Point, side: z.enum(SIDES), nth: z.number() });

/** What an engine's process says: a line of JSON each. */
export const Said = z.discriminatedUnion("say", [
  z.object({ say: z.literal("warm") }),
  z.object({ say: z.literal("open") }),
  z.object({ say: z.literal("done"), n: z.number(), result: z.string().nullable() }),
  z.object({ say: z.literal("refused"), n: z.number(), code: z.string() }),
  z.object({ say: z.literal("event"), type: z.string() }),
  z.object({ say: z.literal("broken"), what: z.string() }),
  z.object({ say: z.literal("crash"), crash: CrashPlace, counts: z.record(z.string(), z.number()) }),
  z.object({ say: z.literal("stopped"), counts: z.record(z.string(), z.number()) }),
]);
export type Said = z.infer<typeof Said>;
