import { openLedger, withoutPassword } from "../ledger/url.ts";
import { Stepwell } from "../main/stepwell.ts";
import { formatDuration } from "../model/duration.ts";
import { StepwellError } from "../model/errors.ts";
import type { LoadedOperators } from "../operators/load.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";
import { jsonLog, textLog, type WorkerLog } from "./worker-log.ts";
import type { WorkerSettings } from "./worker-settings.ts";

/** How soon a worker that has lost its server tries again. */
const AGAIN_MS = 1_000;

/**
 * Drives the runs of a ledger until the process is told to stop: then no new work is taken, running attempts may end within the grace,
 * and what is unfinished is handed back. A server that goes away is waited for, once the worker has been ready.
 *
 * @throws StepwellError what opening the ledger raises, and what makes the engine give up: `LEDGER_IO`, …
 */
export async function driveRuns(
  settings: WorkerSettings,
  operators: LoadedOperators | undefined,
  { out }: Terminal,
  isJson: boolean,
): Promise<ExitCode> {
  const log = isJson ? jsonLog(out) : textLog(out);
  const interrupt = onInterrupt();
  try {
    return await Promise.race([driveOn(settings, operators, log, interrupt), interrupt.again]);
  } finally {
    interrupt.forget();
  }
}

async function driveOn(
  settings: WorkerSettings,
  operators: LoadedOperators | undefined,
  log: WorkerLog,
  interrupt: Interrupt,
): Promise<ExitCode> {
  const life = { hasBeenReady: false };
  while (!interrupt.hasHappened()) {
    try {
      await driveOnce(settings, operators, log, interrupt, life);
    } catch (error) {
      if (!life.hasBeenReady || !(error instanceof StepwellError) || error.code !== "LEDGER_UNREACHABLE") throw error;
      log.lost(error, AGAIN_MS);
      await interrupt.within(AGAIN_MS);
    }
  }
  log.stopped();
  return EXIT.succeeded;
}

/** One engine, until it is stopped by a signal or by its ledger. */
async function driveOnce(
  { ledger: url, concurrency, leaseMs, graceMs, retention }: WorkerSettings,
  operators: LoadedOperators | undefined,
  log: WorkerLog,
  interrupt: Interrupt,
  life: { hasBeenReady: boolean },
): Promise<void> {
  const ledger = await openLedger(url, leaseMs === undefined ? {} : { leaseMs });
  const stepwell = new Stepwell({
    ledger,
    stopGraceMs: graceMs,
    retention,
    ...(concurrency !== undefined && { concurrency: { steps: concurrency, runs: concurrency } }),
    ...(operators !== undefined && { operators: Object.fromEntries(operators.operators), operatorModule: operators.moduleUrl }),
  });
  stepwell.listen((event) => log.event(event));
  try {
    log.ready(await stepwell.open(), withoutPassword(url));
    life.hasBeenReady = true;
    await Promise.race([stepwell.untilStopped(), interrupt.happened]);
    log.stopping(formatDuration(graceMs));
  } finally {
    await stepwell.stop();
  }
}

interface Interrupt {
  readonly happened: Promise<void>;
  /** The second one: what the process ends with, at once. */
  readonly again: Promise<ExitCode>;
  hasHappened(): boolean;
  /** Resolves when it happens, and after `ms` at the latest. */
  within(ms: number): Promise<void>;
  forget(): void;
}

/** Listens to both: in the first process of a container signals that nobody listens to have no effect. */
function onInterrupt(): Interrupt {
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
