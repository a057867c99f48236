import type { Redis } from "ioredis";
import { StepwellError } from "../../model/errors.ts";

export interface Drivers {
  readonly bullmq: typeof import("bullmq");
  readonly Redis: typeof Redis;
}

/** @throws StepwellError `NOT_SUPPORTED` when they are not installed */
export async function loadDrivers(): Promise<Drivers> {
  try {
    const [bullmq, ioredis] = await Promise.all([import("bullmq"), import("ioredis")]);
    return { bullmq, Redis: ioredis.Redis };
  } catch (cause) {
    throw new StepwellError("NOT_SUPPORTED", "A queue on Redis needs the packages bullmq and ioredis", {
      hint: "Install them: npm install bullmq@6 ioredis@5.",
      cause,
    });
  }
}
