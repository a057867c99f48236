import { hostname } from "node:os";
import { DEFAULT_GROUP } from "../../ledger/placement.ts";
import type { Ledger } from "../../ledger/port.ts";
import { openLedger, withoutPassword } from "../../ledger/url.ts";
import { Stepwell } from "../../main/stepwell.ts";
import { formatDuration } from "../../model/duration.ts";
import { StepwellError } from "../../model/errors.ts";
import type { RetentionOptions } from "../../model/retention.ts";
import type { LoadedOperators } from "../../operators/load.ts";
import type { Queue } from "../../queue/port.ts";
import { openQueue, queueName } from "../../queue/url.ts";
import { healthRoutes } from "../../server/health.ts";
import { type Address, type HttpListener, listen } from "../../server/http-listener.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Terminal } from "../terminal.ts";
import { type Interrupt, onInterrupt } from "./interrupt.ts";
import { watchLoop } from "./loop-watch.ts";
import { askLedger, Readiness } from "./readiness.ts";
import { jsonLog, type ServiceKind, type ServiceLog, textLog } from "./service-log.ts";

/** A process that works on a ledger until it is told to stop. */
export interface Service {
  readonly kind: ServiceKind;
  readonly ledger: string;
  readonly queue: string;
  readonly operators: LoadedOperators | undefined;
  /** The worker groups that it serves. */
  readonly groups: readonly string[] | undefined;
  /** Undefined: what an engine does by itself. */
  readonly concurrency: number | undefined;
  readonly leaseMs: number;
  readonly graceMs: number;
  /** Undefined: all runs are kept. */
  readonly retention: RetentionOptions | undefined;
  /** Undefined: runs are deleted without being written anywhere. */
  readonly archive: string | undefined;
  /** Whether it drives runs. */
  readonly drives: boolean;
  /** Where it says how it is; undefined: nowhere. */
  readonly address: Address | undefined;
}

/** How soon a process that has lost its server tries again. */
const AGAIN_MS = 1_000;
/** How long an answer may take that is on its way when everything else has ended. */
const LAST_ANSWER_MS = 1_000;
/** Whoever stands still for longer misses a heartbeat. */
const HEARTBEATS = 4;

/** What the parts of one process share. */
interface Life {
  readonly log: ServiceLog;
  readonly interrupt: Interrupt;
  readonly readiness: Readiness;
}

/**
 * Works on a ledger until the process is told to stop: then it is no longer ready, no new work is taken, running attempts may end within
 * the grace, and what is unfinished is handed back. A server that goes away is waited for, once the process has been ready.
 *
 * @throws StepwellError `ADDRESS_UNAVAILABLE`, what opening the ledger raises, and what makes the engine give up for good: `LEDGER_IO`, …
 */
export async function runService(service: Service, { out }: Terminal, isJson: boolean): Promise<ExitCode> {
  const log = isJson ? jsonLog(out, service.kind) : textLog(out, service.kind);
  const interrupt = onInterrupt();
  try {
    return await Promise.race([serve(service, { log, interrupt, readiness: new Readiness() }), interrupt.again]);
  } finally {
    interrupt.forget();
  }
}

/** Says from its first moment to its last how it is: also while it waits for its ledger, and while it drains. */
async function serve(service: Service, life: Life): Promise<ExitCode> {
  const { log, interrupt, readiness } = life;
  const loop = watchLoop(service.leaseMs / HEARTBEATS, (delayMs) => log.stalled(delayMs));
  const live = () => ({ uptimeMs: Math.round(performance.now()), eventLoopDelay: loop.delay() });
  let listener: HttpListener | undefined;
  try {
    if (service.address !== undefined) {
      listener = await listen(service.address, healthRoutes({ live, unready: () => readiness.unready() }));
      log.listening(listener.url);
    }
    void interrupt.happened.then(() => {
      readiness.draining();
      listener?.retire();
    });
    await workOn(service, life);
  } finally {
    await listener?.close(LAST_ANSWER_MS);
    loop.end();
  }
  log.stopped(service.drives);
  return EXIT.succeeded;
}

async function workOn(service: Service, life: Life): Promise<void> {
  const { log, interrupt, readiness } = life;
  const work = service.drives ? driveRuns : keepOpen;
  while (!interrupt.hasHappened()) {
    try {
      await work(service, life);
    } catch (error) {
      if (!readiness.hasBeenReady || !(error instanceof StepwellError) || error.code !== "LEDGER_UNREACHABLE") throw error;
      readiness.lost(error);
      log.lost(error, AGAIN_MS);
      await interrupt.within(AGAIN_MS);
    }
  }
}

/** One engine, until it is stopped by a signal or by its ledger. */
async function driveRuns(service: Service, { log, interrupt, readiness }: Life): Promise<void> {
  const { ledger: url, operators, groups, concurrency, leaseMs, graceMs, retention, archive } = service;
  const ledger = await openLedger(url, { leaseMs, ownThread: true });
  const queue = await openQueueBeside(ledger, service.queue, readiness.hasBeenReady);
  const stepwell = new Stepwell({
    ledger,
    queue,
    groups: groups ?? [DEFAULT_GROUP],
    stopGraceMs: graceMs,
    ...(retention !== undefined && { retention }),
    ...(archive !== undefined && { archive }),
    ...(concurrency !== undefined && { concurrency: { steps: concurrency, runs: concurrency } }),
    ...(operators !== undefined && { operators: Object.fromEntries(operators.operators), operatorModule: operators.moduleUrl }),
  });
  stepwell.listen((event) => {
    log.event(event);
    if (event.type === "ledger.failed") readiness.lost(new StepwellError("LEDGER_FENCED", event.error.message));
    if (event.type === "ledger.owned") readiness.ready(() => askLedger(url, ledger, event.epoch));
  });
  try {
    const { name, epoch } = await stepwell.open();
    readiness.ready(() => askLedger(url, ledger, epoch));
    log.ready({ name, ledger: withoutPassword(url), queue: queueName(service.queue), epoch });
    await Promise.race([stepwell.untilStopped(), interrupt.happened]);
    log.stopping(formatDuration(graceMs));
  } catch (error) {
    readiness.lost(error);
    throw error;
  } finally {
    await stepwell.stop();
  }
}

/** At its start a process says that the server of its queue is missing; once it has been ready, it works on without. */
async function openQueueBeside(ledger: Ledger, url: string, isPatient: boolean): Promise<Queue> {
  try {
    return await openQueue(url, isPatient);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

/** No engine: the runs are others'. */
async function keepOpen({ ledger: url }: Service, { log, interrupt, readiness }: Life): Promise<void> {
  const ledger = await openLedger(url);
  try {
    readiness.ready(() => askLedger(url, ledger, undefined));
    log.ready({ name: `${hostname()}:${process.pid}`, ledger: withoutPassword(url), queue: null, epoch: null });
    await interrupt.happened;
    log.stopping(undefined);
  } finally {
    await ledger.close();
  }
}
