import { StepwellError } from "../model/errors.ts";
import { LIMITS } from "../model/limits.ts";

export type RefusalCode = "EXPRESSION_UNRESOLVED" | "EXPRESSION_TYPE" | "EXPRESSION_FAILED" | "EXPRESSION_LIMIT";

/** Why an expression has no value, before it is known to the reader which expression it was. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly hint: string | undefined;

  constructor(code: RefusalCode, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** An expression and the place inside the template where it stands. */
export interface ExpressionPlace {
  readonly source: string;
  readonly at: readonly (string | number)[];
}

const SHOWN_CHARACTERS = 160;

/** Text of unknown length, cut for an error message. */
function abbreviate(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

/** The error that a caller sees; it names the expression and where it stands. */
export function toError(error: unknown, place: ExpressionPlace): StepwellError {
  const { code, message, hint } = error instanceof Refusal ? error : foreignRefusal(error);
  const at = place.at.join(".");
  return new StepwellError(code, `{{ ${abbreviate(place.source)} }}${at === "" ? "" : ` in ${at}`}: ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    data: { expression: abbreviate(place.source), at },
  });
}

/** JSONata's codes for an evaluation that ran into a bound: recursion, time, ranges and sequences. */
const LIMIT_CODES: ReadonlySet<unknown> = new Set(["D1011", "D1012", "D2014", "D2015"]);
/** `$error(…)` and `$assert(…)`: the message is the author's own. */
const AUTHORED_CODES: ReadonlySet<unknown> = new Set(["D3137", "D3141"]);
const LIMIT_HINT = "Do less in one expression: pass only the members that are needed, or move the work into an operator.";

/** Translates what JSONata throws (plain objects with `code` and `message`) and what the JavaScript engine throws. */
function foreignRefusal(error: unknown): Refusal {
  if (error instanceof RangeError) return tooMuch(`it nests too deep or grows too large (${error.message})`);
  const { code, message } = readThrown(error);
  if (code === "D1012") return tooMuch(`it took longer than ${LIMITS.expressionTimeMs} ms`);
  if (LIMIT_CODES.has(code)) return tooMuch(message);
  return new Refusal("EXPRESSION_FAILED", typeof code === "string" && !AUTHORED_CODES.has(code) ? `${message} (JSONata ${code})` : message);
}

/** An expression that ran into a bound. */
export function tooMuch(message: string): Refusal {
  return new Refusal("EXPRESSION_LIMIT", message, LIMIT_HINT);
}

/** The `code`, `message` and `position` of something that JSONata threw. */
export function readThrown(error: unknown): { readonly code: unknown; readonly message: string; readonly position: number } {
  const { code, message, position = 0 } = isThrown(error) ? error : { message: error };
  return { code, message: abbreviate(String(message)), position: Number(position) };
}

interface Thrown {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly position?: unknown;
}

function isThrown(error: unknown): error is Thrown {
  return typeof error === "object" && error !== null;
}
