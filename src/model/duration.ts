import { StepwellError } from "./errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const SHORT = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;
const SHORT_PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g;
const ISO = /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
/** A century; longer is a mistake in the unit. */
const MAX_MS = 100 * 365 * 86_400_000;

/**
 * Milliseconds of a duration: a number of milliseconds, `200ms`, `1h30m`, or ISO 8601 without years and months (`PT1H30M`),
 * whose length would depend on the calendar.
 *
 * @throws StepwellError `DURATION_INVALID`
 */
export function parseDuration(value: string | number): number {
  const ms = typeof value === "number" ? value : parseText(value.trim());
  if (ms === undefined || !Number.isFinite(ms) || ms < 0 || ms > MAX_MS) {
    throw new StepwellError("DURATION_INVALID", `"${value}" is not a duration`, {
      hint: "Write a number with a unit (200ms, 5s, 10m, 2h, 3d), ISO 8601 (PT5M), or plain milliseconds; up to 100 years.",
    });
  }
  return Math.round(ms);
}

function parseText(text: string): number | undefined {
  if (SHORT.test(text)) {
    let total = 0;
    for (const [, amount, unit] of text.matchAll(SHORT_PART)) total += Number(amount) * (UNIT_MS[unit ?? ""] ?? Number.NaN);
    return total;
  }
  const iso = ISO.exec(text);
  if (iso === null) return undefined;
  const [, weeks = "0", days = "0", hours = "0", minutes = "0", seconds = "0"] = iso;
  return ((Number(weeks) * 7 + Number(days)) * 24 + Number(hours)) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000;
}

/** A duration as a person reads it: `340 ms`, `2.4 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const [large, small, largeMs, smallMs] =
    ms < 3_600_000
      ? (["m", "s", 60_000, 1_000] as const)
      : ms < 86_400_000
        ? (["h", "m", 3_600_000, 60_000] as const)
        : (["d", "h", 86_400_000, 3_600_000] as const);
  const rest = Math.floor((ms % largeMs) / smallMs);
  return rest === 0 ? `${Math.floor(ms / largeMs)} ${large}` : `${Math.floor(ms / largeMs)} ${large} ${rest} ${small}`;
}
