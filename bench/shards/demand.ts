/**
 * What a run of three trivial steps costs on PostgreSQL with 256 in flight, as docs/guide/sizing.md and docs/guide/performance.md have it, each
 * with the command that measures it.
 */
const MEASURED = {
  /** `npm run bench -- W1 --ledger postgres` */
  serverMicrosPerRun: 113,
  workerMicrosPerRun: 99,
  commitsPerRun: 0.04,
  /** `npm run bench -- disk --ledger postgres` */
  bytesPerRun: 1_983,
  logBytesPerRun: 2_772,
  /** `npm run bench -- W9 --ledger postgres`: one worker on a queue; it takes runs up one after the other. */
  queuedRunsPerWorker: 209,
  /** docs/guide/workers.md: what retention deletes at its own pace, three quarters of the time at rest. */
  prunedRunsPerSecond: 600,
  /** Fixed in the code. */
  connectionsPerWorker: 12,
} as const;

export interface Fleet {
  readonly runsPerSecond: number;
  readonly shards: number;
  /** Of the cores of a server or a worker, how much is planned to be used, 0 to 1. */
  readonly plannedUse: number;
}

/** Of one shard, if the load were even. */
export interface Demand {
  readonly runsPerSecond: number;
  readonly serverCores: number;
  readonly workerCores: number;
  readonly commitsPerSecond: number;
  readonly logMbPerSecond: number;
  readonly gbPerDay: number;
  /** With a worker process for each planned core. */
  readonly connections: number;
  /** If every run came by way of the queue: worker processes by the rate at which one takes runs up. */
  readonly queueWorkers: number;
  /** Runs that come by those that retention deletes meanwhile: above 1 the ledger only grows. */
  readonly timesRetention: number;
}

const MICROS = 1e6;
const MB = 1e6;
const GB = 1e9;
const DAY_SECONDS = 86_400;

export function demandOfShard({ runsPerSecond: all, shards, plannedUse }: Fleet): Demand {
  const rate = all / shards;
  const workerCores = (rate * MEASURED.workerMicrosPerRun) / MICROS / plannedUse;
  return {
    runsPerSecond: rate,
    serverCores: (rate * MEASURED.serverMicrosPerRun) / MICROS / plannedUse,
    workerCores,
    commitsPerSecond: rate * MEASURED.commitsPerRun,
    logMbPerSecond: (rate * MEASURED.logBytesPerRun) / MB,
    gbPerDay: (rate * MEASURED.bytesPerRun * DAY_SECONDS) / GB,
    connections: Math.ceil(workerCores) * MEASURED.connectionsPerWorker,
    queueWorkers: Math.ceil(rate / MEASURED.queuedRunsPerWorker),
    timesRetention: rate / MEASURED.prunedRunsPerSecond,
  };
}
