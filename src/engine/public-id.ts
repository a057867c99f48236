import { createHash, randomUUID } from "node:crypto";

/** The half of an id that tells its time: making it takes four times as long as the rest, and ids of one millisecond share it. */
let half = { ms: -1, text: "" };

/** A UUIDv7 (RFC 9562): 48 bits of milliseconds, so that ids grow with time, and 74 random bits. */
export function newPublicId(nowMs: number): string {
  const ms = Math.max(0, Math.floor(nowMs));
  if (ms !== half.ms) half = { ms, text: timeHalf(ms) };
  return half.text + randomUUID().slice(15);
}

function timeHalf(ms: number): string {
  const time = ms.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7`;
}

/**
 * The id of a child run, the same whenever the same attempt of the same step starts it: as a UUIDv7 of its parent's time whose random
 * bits are a hash of parent, step and attempt.
 */
export function childPublicId(parent: string, step: string, attempt: number): string {
  const hash = createHash("sha256").update(`${parent}/${step}/${attempt}`).digest("hex");
  const variant = (8 + (Number.parseInt(hash.slice(15, 16), 16) % 4)).toString(16);
  return `${parent.slice(0, 14)}7${hash.slice(0, 3)}-${variant}${hash.slice(3, 6)}-${hash.slice(16, 28)}`;
}
