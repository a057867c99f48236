import { StepwellError } from "./errors.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const UNIT_MS: ReadonlyMap<string | undefined, number> = new Map([
  ["ms", 1],
  ["s", SECOND_MS],
  ["m", MINUTE_MS],
  ["h", HOUR_MS],
  ["d", DAY_MS],
  ["w", 7 * DAY_MS],
]);
/** Sticky, so that parts must follow each other without a gap and a long text costs one pass. */
const SHORT_PART = /(\d+(?:\.\d+)?)([a-z]+)/gy;
const ISO = /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
/** A century; longer is a mistake in the unit. */
const MAX_MS = 100 * 365 * DAY_MS;

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

/**
 * Milliseconds of a duration as text that may be negative: `-5m`.
 *
 * @throws StepwellError `DURATION_INVALID`
 */
export function parseSignedDuration(text: string): number {
  const trimmed = text.trim();
  return trimmed.startsWith("-") ? 0 - parseDuration(trimmed.slice(1)) : parseDuration(trimmed);
}

function parseText(text: string): number | undefined {
  const iso = ISO.exec(text);
  if (iso === null) return parseShort(text);
  const [, weeks = "0", days = "0", hours = "0", minutes = "0", seconds = "0"] = iso;
  return (Number(weeks) * 7 + Number(days)) * DAY_MS + Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * SECOND_MS;
}

function parseShort(text: string): number | undefined {
  let total = 0;
  let end = 0;
  for (const [part, amount, unit] of text.matchAll(SHORT_PART)) {
    const unitMs = UNIT_MS.get(unit);
    if (unitMs === undefined) return undefined;
    total += Number(amount) * unitMs;
    end += part.length;
  }
  return end > 0 && end === text.length ? total : undefined;
}

/** A duration as a person reads it: `340 ms`, `2.4 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`. Rounded to the last unit that is shown. */
export function formatDuration(ms: number): string {
  const millis = Math.round(ms);
  if (millis < SECOND_MS) return `${millis} ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / SECOND_MS);
  if (seconds < 3_600) return pair(seconds, 60, "m", "s");
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 1_440) return pair(minutes, 60, "h", "m");
  return pair(Math.round(ms / HOUR_MS), 24, "d", "h");
}

function pair(count: number, perLarge: number, large: string, small: string): string {
  const rest = count % perLarge;
  const whole = `${Math.floor(count / perLarge)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}
