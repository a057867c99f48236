import { randomUUID } from "node:crypto";

/** A UUIDv7 (RFC 9562): 48 bits of milliseconds, so that ids grow with time, and 74 random bits. */
export function newPublicId(nowMs: number): string {
  const time = Math.max(0, Math.floor(nowMs)).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${randomUUID().slice(15)}`;
}
