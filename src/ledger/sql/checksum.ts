import { crc32 } from "node:zlib";

/**
 * CRC-32 (IEEE 802.3, the polynomial of zlib) over up to two payload texts in UTF-8; null when both are null. The seeds tell
 * which of the two a lone text was, so that a value that moved from one column to the other is found too.
 */
export function checksum(first: string | null, second: string | null): number | null {
  if (first === null) return second === null ? null : crc32(second, 2);
  const crc = crc32(first, 1);
  return second === null ? crc : crc32(second, crc);
}
