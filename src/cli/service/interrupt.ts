import { EXIT, type ExitCode } from "../exit-codes.ts";

export interface Interrupt {
  readonly happened: Promise<void>;
  /** The second one: what the process ends with, at once. */
  readonly again: Promise<ExitCode>;
  hasHappened(): boolean;
  /** Resolves when it happens, and after `ms` at the latest. */
  within(ms: number): Promise<void>;
  forget(): void;
}

/** Listens to both signals: in the first process of a container those that nobody listens to have no effect. */
export function onInterrupt(): Interrupt {
  const { promise: happened, resolve } = Promise.withResolvers<void>();
  const { promise: again, resolve: resolveAgain } = Promise.withResolvers<ExitCode>();
  let isAsked = false;
  const listeners = (["SIGINT", "SIGTERM"] as const).map((signal) => {
    const listener = (): void => {
      if (isAsked) resolveAgain(EXIT[signal]);
      isAsked = true;
      resolve();
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return {
    happened,
    again,
    hasHappened: () => isAsked,
    within: async (ms) => {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, ms);
      await Promise.race([happened, late.promise]);
      clearTimeout(timer);
    },
    forget: () => {
      for (const remove of listeners) remove();
    },
  };
}
