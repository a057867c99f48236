/** Every bound that Stepwell enforces, in one place. Each is answered with a coded error, never with silence. */
export const LIMITS = {
  /** Levels of nesting in any JSON value; deeper values are either hostile or a cycle. */
  jsonDepth: 256,
  /** UTF-8 bytes of one input, output or error in the ledger. */
  payloadBytes: 16 * 1024 * 1024,
  /** UTF-8 bytes of a definition file. */
  definitionBytes: 8 * 1024 * 1024,
  /** Steps in one workflow. */
  stepsPerWorkflow: 100_000,
  /** Characters of one expression. */
  expressionLength: 64 * 1024,
  /** Milliseconds that one expression may take. */
  expressionTimeMs: 1_000,
  /** Nested calls inside one expression. */
  expressionDepth: 500,
  /** Members (list items and object keys, counted at every level) of one expression's result. */
  expressionResultMembers: 1_000_000,
  /** Characters of a workflow or step id. */
  idLength: 128,
  /** Characters of an idempotency key. */
  idempotencyKeyLength: 512,
  /** Problems reported in one pass before the rest is only counted. */
  problemsReported: 200,
  /** Delays up to this stay in memory with the run owned; longer ones park it. */
  shortDelayMs: 5_000,
} as const;
