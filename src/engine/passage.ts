/** Where a value stands; emptied when it is taken out. */
interface Place<V> {
  value: V | undefined;
}

/**
 * A map through which very many values pass, each staying a moment. In a Map of V8's what was deleted lives on: a table that was
 * replaced keeps its entries and leads to its successor, so that once one table is old, everything that ever passed counts as
 * reachable until a full collection. Here only an empty place lives on.
 */
export class Passage<K, V extends object> {
  readonly #places = new Map<K, Place<V>>();

  get size(): number {
    return this.#places.size;
  }

  has(key: K): boolean {
    return this.#places.has(key);
  }

  get(key: K): V | undefined {
    return this.#places.get(key)?.value;
  }

  set(key: K, value: V): void {
    this.#places.set(key, { value });
  }

  /** Takes out the value of a key. */
  take(key: K): V | undefined {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    this.#places.delete(key);
    const { value } = place;
    place.value = undefined;
    return value;
  }

  /** Lists the keys that are here now. */
  keys(): readonly K[] {
    return [...this.#places.keys()];
  }

  /** Lists the values that are here now. */
  values(): readonly V[] {
    return [...this.#places.values()].flatMap(({ value }) => (value === undefined ? [] : [value]));
  }
}
