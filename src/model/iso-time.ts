/** ISO 8601 in UTC with milliseconds, of milliseconds since the Unix epoch; null stays null. */
export function iso(ms: number): string;
export function iso(ms: number | null): string | null;
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
