export type MaybePromise<T> = T | Promise<T>;

/** Continues with a value that is usually there already, without a turn of the microtask queue when it is. */
export function proceed<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
