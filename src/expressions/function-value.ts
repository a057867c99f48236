/** A function that JSONata calls natively; `signature` checks the arguments. */
export interface NativeFunction {
  readonly _jsonata_function: true;
  readonly implementation: (this: Focus, ...values: never[]) => unknown;
  readonly signature?: unknown;
}

/** What JSONata gives a native function as `this`. */
export interface Focus {
  readonly environment: Frame;
  createSequence(): unknown[];
}

/** A frame of variables; `base` is the outermost of one evaluation. */
export interface Frame {
  readonly base: Frame;
  /** Evaluations that wait for each other. */
  readonly depth: number;
  /** When the evaluation began, as JSONata sees it. */
  readonly timestamp: { setTime(ms: number): unknown };
  /** Called before each evaluation of a node. */
  guardrails: (this: void) => void;
  bind(name: string | symbol, value: unknown): void;
  lookup(name: string | symbol): unknown;
}

/** A native function whose arguments are checked. */
export interface CheckedFunction extends NativeFunction {
  readonly signature: Signature;
}

/** Gives the arguments as the function takes them, from those of a call and from what the call stands in. */
interface Signature {
  validate(values: readonly unknown[], context: unknown): readonly unknown[];
}

export function isCheckedFunction(value: NativeFunction): value is CheckedFunction {
  const { signature } = value;
  return typeof signature === "object" && signature !== null && "validate" in signature && typeof signature.validate === "function";
}

export function isNativeFunction(value: unknown): value is NativeFunction {
  return typeof value === "object" && value !== null && "implementation" in value && typeof value.implementation === "function";
}

/** A function in any of JSONata's forms; data that only looks like one (a member `_jsonata_lambda`) is not. */
export function isFunctionValue(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return typeof value === "function";
  if ("_jsonata_function" in value) return isNativeFunction(value);
  return "_jsonata_lambda" in value && "environment" in value && isFrame(value.environment);
}

export function isFrame(value: unknown): value is Frame {
  return typeof value === "object" && value !== null && "lookup" in value && typeof value.lookup === "function";
}
