import type { Json } from "../../model/json.ts";
import type { DurationOption } from "./duration-option.ts";
import type { Held, Reference } from "./reference.ts";

/** What `$` shows in keys and in the priority: what is known when a run is started. With a `batch` too, `input` is that of the start. */
export interface StartDollar<Input, Vars, Env> {
  readonly input: Reference<Input>;
  readonly vars: Reference<Vars>;
  readonly env: Reference<Env>;
  readonly run: { readonly workflow: Held<string>; readonly version: Held<string | null>; readonly tenant: Held<string> };
}

type StartOption<Input, Vars, Env> = string | (($: StartDollar<Input, Vars, Env>) => Held<Json> | string);

interface Keyed<Input, Vars, Env> {
  /** Gives a string, a number or a boolean; each value counts for itself. */
  readonly key?: StartOption<Input, Vars, Env>;
}

export interface ConcurrencyOptions<Input, Vars, Env> extends Keyed<Input, Vars, Env> {
  readonly limit: number;
  readonly onLimit?: "queue" | "reject" | "cancel-running";
}

export interface RateLimitOptions<Input, Vars, Env> extends Keyed<Input, Vars, Env> {
  readonly limit: number;
  readonly per: DurationOption;
  readonly onLimit?: "queue" | "reject";
}

export interface SingletonOptions<Input, Vars, Env> extends Keyed<Input, Vars, Env> {
  readonly onConflict?: "reject" | "cancel-running";
}

export interface DebounceOptions<Input, Vars, Env> extends Keyed<Input, Vars, Env> {
  readonly delay: DurationOption;
  readonly maxDelay?: DurationOption;
}

/** `Size` is there to be inferred: where it is, there is a batch. */
export interface BatchOptions<Input, Vars, Env, Size extends number> extends Keyed<Input, Vars, Env> {
  readonly size: Size;
  readonly timeout: DurationOption;
}

/** Fields that say when and where runs begin; they mean what they mean in YAML. */
export interface FlowSettings<Input, Vars, Env> {
  readonly topic?: string;
  /** A duration, or what gives one as text or as a number of seconds. */
  readonly priority?: StartOption<Input, Vars, Env>;
  readonly concurrency?: number | ConcurrencyOptions<Input, Vars, Env> | readonly ConcurrencyOptions<Input, Vars, Env>[];
  readonly rateLimit?: RateLimitOptions<Input, Vars, Env> | readonly RateLimitOptions<Input, Vars, Env>[];
  readonly singleton?: true | SingletonOptions<Input, Vars, Env>;
  readonly debounce?: DebounceOptions<Input, Vars, Env>;
}

/** The input as steps see it; `Size` is never without a batch. */
export type StepInput<Input, Size> = [Size] extends [never] ? Input : { readonly items: readonly Input[] };
