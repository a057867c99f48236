/** Every bound that Stepwell enforces, in one place. Each is answered with a coded error, never with silence. */
export const LIMITS = {
  /** Runs that are counted before one in the queue. */
  countedAhead: 1_000,
  /** Levels of nesting in any JSON value; deeper values are either hostile or a cycle. */
  jsonDepth: 256,
  /** UTF-8 bytes of one input, output or error in the ledger. */
  payloadBytes: 16 * 1024 * 1024,
  /** UTF-8 bytes of a definition file. */
  definitionBytes: 8 * 1024 * 1024,
  /** Steps in one workflow, those of blocks included. */
  stepsPerWorkflow: 100_000,
  /** Rows of steps, scopes and checkpoints in one run: their ordinals have 28 bits. */
  ordinalsPerRun: 2 ** 28,
  /** Blocks (`foreach`, `loop`) inside each other. */
  blockDepth: 16,
  /** Items of one `foreach` at work at the same time. */
  itemsAtOnce: 100_000,
  /** Rounds of one `loop`. */
  loopIterations: 1_000_000,
  /** Members of an event's data that are text, numbers or booleans: by these it is matched. */
  eventFields: 32,
  /** Characters of one expression. */
  expressionLength: 64 * 1024,
  /** Milliseconds that one expression may take. */
  expressionTimeMs: 1_000,
  /** Parts of one expression that wait for each other: about 6 for each nested call, 3 for each group of a grouping. */
  expressionDepth: 20_000,
  /** Members (list items and object keys, counted at every level; 16 characters count as one while it is built) of one expression's result. */
  expressionResultMembers: 1_000_000,
  /** Characters of a workflow or step id. */
  idLength: 128,
  /** Characters of an idempotency key. */
  idempotencyKeyLength: 512,
  /** Problems reported in one pass before the rest is only counted. */
  problemsReported: 200,
  /** Bytes of one HTTP response body, as received and again as decoded; more could not be stored. */
  httpResponseBytes: 16 * 1024 * 1024,
  /** Bytes of a failed response that go into the error. */
  httpExcerptBytes: 1024,
  /** Milliseconds until an HTTP connection is open. */
  httpConnectMs: 10_000,
  /** Milliseconds that an HTTP server may stay silent before its headers or between two parts of its body. */
  httpSilenceMs: 5 * 60_000,
  /** Milliseconds of one HTTP request from start to end: a step without a timeout ends too. */
  httpRequestMs: 60 * 60_000,
  /** Milliseconds that an operator in a worker thread gets to end by itself after it was told to stop. */
  threadGraceMs: 1_000,
  /** Megabytes of JavaScript heap of one worker thread. */
  threadHeapMb: 512,
  /** Work items that one poll may claim. */
  tasksPerPoll: 1_000,
  /** Limits (`concurrency`, `rateLimit`, `singleton`) of one workflow. */
  limitsPerWorkflow: 8,
  /** Runs that one limit can let through, at once or in a period. */
  runsPerLimit: 1_000_000,
  /** Characters of what the key of a limit, a `debounce` or a `batch` gives. */
  flowKeyLength: 256,
  /** Starts that one `batch` collects. */
  batchItems: 1_000,
  /** Milliseconds by which a priority moves a run forwards or backwards: so long somebody may have to wait behind later runs. */
  priorityMs: 60 * 60_000,
  /** Runs that may stand below the first of a family. */
  childDepth: 32,
  /** Delays up to this stay in memory with the run owned; longer ones park it. */
  shortDelayMs: 5_000,
} as const;
