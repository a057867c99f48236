import type { Random } from "../model/clock.ts";

/**
 * Numbers in [0, 1) that depend on the seed alone, 32 bits each: xoshiro128** (Blackman and Vigna, 2018) started from the FNV-1a
 * hash of the seed. Not for secrets.
 */
export function seededRandom(seed: string): Random {
  let hash = 0x811c9dc5;
  for (let at = 0; at < seed.length; at++) hash = Math.imul(hash ^ seed.charCodeAt(at), 0x01000193);
  let a = mix(hash + 0x9e3779b9);
  let b = mix(hash + 0x3c6ef372);
  let c = mix(hash + 0xdaa66d2b);
  let d = mix(hash + 0x78dde6e4) | 1;
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return (result >>> 0) / 2 ** 32;
  };
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** The finalizer of MurmurHash3: every bit of the hash reaches every bit of the state. */
function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
