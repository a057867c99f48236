import { isFunctionValue } from "./function-value.ts";

/** Characters of text that weigh as much as one member. */
const CHARACTERS_PER_MEMBER = 16;
/** Lighter values are counted again each time; remembering them would cost more. */
const REMEMBERED_WEIGHT = 64;

/**
 * Members of a value as it would be written out, shared parts counted each time they occur: what it would cost to copy, compare
 * or print it. An expression of 30 characters can build a value of 2³⁰ members in 30 objects.
 */
export class Scale {
  private known: WeakMap<object, number> | undefined;
  /** Members of all heavy values that were weighed, each counted once. */
  total = 0;

  weigh(value: unknown): number {
    if (typeof value === "string") return Math.floor(value.length / CHARACTERS_PER_MEMBER);
    if (typeof value !== "object" || value === null || isFunctionValue(value)) return 0;
    const known = this.known?.get(value);
    if (known !== undefined) return known;
    let weight = 0;
    if (Array.isArray(value)) for (const member of value) weight += 1 + this.weigh(member);
    else for (const name of Object.keys(value)) weight += 1 + this.weigh(Reflect.get(value, name));
    if (weight > REMEMBERED_WEIGHT) {
      this.known ??= new WeakMap();
      this.known.set(value, weight);
      this.total += Array.isArray(value) ? value.length : REMEMBERED_WEIGHT;
    }
    return weight;
  }
}
