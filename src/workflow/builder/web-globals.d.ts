/**
 * Operators are given an AbortSignal. Pure rooms only pass its type on and are compiled without the platform's types, so it is
 * declared here as far as it is the same in all of them.
 */
interface AbortSignal {
  readonly aborted: boolean;
}
