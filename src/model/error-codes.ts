export interface ErrorCodeInfo {
  /** One line for the title of the page and the `title` of an RFC 9457 problem. */
  readonly title: string;
  /** HTTP status when the error reaches a caller over HTTP. */
  readonly status: number;
  /** Whether a retry policy may try the step again. */
  readonly retryable: boolean;
}

const fault = (title: string, status: number, retryable = false): ErrorCodeInfo => ({ title, status, retryable });

/** Every error code, in the order of the rooms that raise them. A test holds this table and `docs/errors/` equal. */
export const ERROR_CODES = {
  INTERNAL: fault("Stepwell broke one of its own rules", 500),

  // values
  VALUE_NOT_JSON: fault("A value cannot be written as JSON", 422),
  VALUE_TOO_LARGE: fault("A value is larger than its limit", 413),
  DURATION_INVALID: fault("A duration is not understood", 422),

  // expressions
  EXPRESSION_SYNTAX: fault("An expression cannot be parsed", 422),
  EXPRESSION_UNRESOLVED: fault("An expression refers to something that is not there", 422),
  EXPRESSION_TYPE: fault("An expression gives a value of the wrong type", 422),
  EXPRESSION_FAILED: fault("An expression raised an error while it was evaluated", 422),
  EXPRESSION_LIMIT: fault("An expression took too long, nested too deep or grew too large", 422),

  // definitions
  DEFINITION_SYNTAX: fault("A definition is not valid YAML or JSON", 422),
  DEFINITION_TOO_LARGE: fault("A definition is larger than its limit", 413),
  DEFINITION_INVALID: fault("A definition has problems", 422),
  FIELD_UNKNOWN: fault("A field is not part of the format", 422),
  FIELD_INVALID: fault("A field has a wrong value", 422),
  FIELD_MISSING: fault("A required field is missing", 422),
  STEP_DUPLICATE: fault("Two steps have the same id", 422),
  STEP_UNKNOWN: fault("A reference names a step that does not exist", 422),
  STEP_CYCLE: fault("Steps wait for each other in a circle", 422),
  STEP_UNREACHABLE: fault("A step can never run", 422),
  STEP_NOT_BEFORE: fault("A reference names a step that cannot have run", 422),
  BRANCH_UNREACHABLE: fault("A branch can never be taken", 422),
  OPERATOR_UNKNOWN: fault("A step uses an operator that is not registered", 422),
  REFERENCE_UNKNOWN: fault("A reference names a variable, secret or input that is not declared", 422),
  USER_VARIABLE_MISSING: fault("A ${user.x} variable has no value", 422),
  SCHEMA_INVALID: fault("A JSON Schema is not valid", 422),
  FOREACH_NOT_A_LIST: fault("A foreach was given something that is not a list", 422),
  TIMEOUT_MISSING: fault("A slow call has no timeout", 200),
  LOOP_POLLS: fault("A loop asks again and again instead of waiting", 200),
  NEEDS_REDUNDANT: fault("A need repeats an edge that is already there", 200),
  LIMIT_INEFFECTIVE: fault("A limit has no effect, or not the one that it seems to have", 200),

  // input
  INPUT_INVALID: fault("The input does not match the workflow's schema", 422),
  IDEMPOTENCY_KEY_REUSED: fault("An idempotency key was used with another request", 422),
  IDEMPOTENCY_KEY_REFUSED: fault("A workflow that collects its starts takes no idempotency key", 422),
  FLOW_KEY_INVALID: fault("A key of flow control does not give a text, number or boolean", 422),
  PRIORITY_INVALID: fault("A priority is not a duration within its bounds", 422),

  // steps
  STEP_FAILED: fault("An operator raised an error", 500, true),
  STEP_TIMEOUT: fault("An attempt took longer than its timeout", 504, true),
  TRANSACTION_INVALID: fault("A transaction is not used as it must be", 422),
  STEP_CANCELLED: fault("A step was cancelled", 409),
  OUTPUT_INVALID: fault("An output does not match the step's schema", 422),
  OUTCOME_UNKNOWN: fault("A crash hid whether the step took effect", 409),
  SECRET_UNAVAILABLE: fault("A secret cannot be read", 500),
  OPERATOR_INPUT_INVALID: fault("An operator was given input that it does not accept", 422),
  WAIT_TIMEOUT: fault("What a step waited for did not come in time", 504),
  ITEMS_FAILED: fault("Items of a `foreach` failed", 422),
  LOOP_EXHAUSTED: fault("A loop reached the most rounds that it may take", 422),
  RUN_TOO_LARGE: fault("A run has had more steps, items and rounds than one run may have", 413),
  CHILD_FAILED: fault("A run that a step started did not succeed", 502, true),
  CHILD_TOO_DEEP: fault("A run would stand too deep below the first of its family", 422),
  CHILD_RECURSION: fault("A workflow starts itself with the same input", 422),
  SUSPENSION_INVALID: fault("An operator suspended with something that cannot be waited for", 422),
  INTERCEPTOR_INVALID: fault("An interceptor did not call `next` exactly once", 500),
  THREAD_FAILED: fault("The worker thread of an isolated step broke", 500, true),

  // HTTP operator
  HTTP_STATUS: fault("The server answered with an error status", 502),
  HTTP_RETRYABLE_STATUS: fault("The server answered with a status that may pass", 502, true),
  HTTP_NETWORK: fault("The request did not get an answer", 502, true),
  HTTP_RESPONSE_TOO_LARGE: fault("A response body is larger than its limit", 502),
  HTTP_RESPONSE_INVALID: fault("A response body is not what it claims to be", 502),

  // runs
  RUN_NOT_FOUND: fault("There is no such run", 404),
  RUN_FINISHED: fault("The run has already ended", 409),
  RUN_FAILED: fault("A run ended FAILED", 409),
  RUN_TIMEOUT: fault("A run took longer than its timeout", 504),
  RUN_NOT_FAILED: fault("Only a FAILED run can be tried again", 409),
  TASK_NOT_FOUND: fault("There is no such task", 404),
  TASK_CLOSED: fault("The task is not open any more", 409),
  TASK_EXPIRED: fault("The task's time is over", 409),
  TASK_FORBIDDEN: fault("The task is for somebody else", 403),
  TASK_FORM_INVALID: fault("A form does not match its schema", 422),
  TASK_LEASE_LOST: fault("A worker no longer has the task that it speaks of", 409),
  TASK_REJECTED: fault("Somebody rejected what a step asked for", 422),
  WORKFLOW_NOT_FOUND: fault("There is no such workflow", 404),
  ENGINE_STOPPED: fault("The engine is not running", 503),

  // ledger
  LEDGER_OWNED: fault("Another engine owns this ledger", 423),
  LEDGER_FENCED: fault("This engine no longer owns the ledger", 409),
  LEDGER_UNREACHABLE: fault("The database of the ledger does not answer", 503, true),
  LEDGER_BUSY: fault("The ledger is locked by another process", 503, true),
  LEDGER_FULL: fault("The disk of the ledger is full", 507),
  LEDGER_READ_ONLY: fault("The ledger cannot be written", 403),
  LEDGER_CORRUPT: fault("The ledger's file is damaged", 500),
  LEDGER_UNAVAILABLE: fault("The ledger cannot be opened or reached", 503),
  LEDGER_IO: fault("The disk of the ledger reported an error", 500),
  LEDGER_SCHEMA_NEWER: fault("The ledger needs a newer Stepwell", 409),
  LEDGER_CONFLICT: fault("The ledger refused a change that breaks its rules", 409),
  NOT_SUPPORTED: fault("This backend cannot do that", 501),

  ARCHIVE_UNAVAILABLE: fault("The archive of deleted runs cannot be written", 500),

  // queue
  QUEUE_UNREACHABLE: fault("The Redis of the queue does not answer", 503, true),
  QUEUE_UNSUPPORTED: fault("The Redis of the queue is too old", 501),
  QUEUE_EVICTS: fault("The Redis of the queue may throw jobs away", 200),
  QUEUE_JOB_INVALID: fault("A job in the queue is none of Stepwell's", 422),

  // command line
  USAGE: fault("The command line is not understood", 400),
  FILE_UNREADABLE: fault("A file cannot be read", 400),
  OPERATORS_INVALID: fault("A module of operators cannot be loaded", 400),

  // configuration
  CONFIG_SYNTAX: fault("A file of settings cannot be read", 400),
  CONFIG_UNKNOWN: fault("A file has a setting that does not exist", 400),
  CONFIG_INVALID: fault("A setting has a wrong value", 400),
  CONFIG_MISSING: fault("A setting that has no default is missing", 400),
  CONFIG_VARIABLE_UNKNOWN: fault("A variable of the environment names no setting", 200),

  // serving
  ADDRESS_UNAVAILABLE: fault("The process cannot listen where it is told to", 500),
  NOT_READY: fault("The process takes no work now", 503),
  REQUEST_INVALID: fault("A request is not proper HTTP", 400),
  ROUTE_NOT_FOUND: fault("There is nothing at this address", 404),
  METHOD_NOT_ALLOWED: fault("The method cannot be used at this address", 405),
} as const satisfies Record<string, ErrorCodeInfo>;

export type ErrorCode = keyof typeof ERROR_CODES;
