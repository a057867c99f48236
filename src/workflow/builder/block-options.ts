import type { Json } from "../../model/json.ts";
import type { DurationOption } from "./duration-option.ts";
import type { ConditionOption, Dollar, KnownTypes, StepSettings } from "./options.ts";
import type { Held, Resolved } from "./reference.ts";

/** Fields of every block; they mean what they mean in YAML. */
interface BlockSettings<Known extends KnownTypes, Schema> extends StepSettings<Known> {
  readonly fallback?: ($: Dollar<Known>) => unknown;
  readonly schema?: Schema;
}

export interface ForeachSettings<Known extends KnownTypes, Items, Tolerate, Schema> extends BlockSettings<Known, Schema> {
  /** The list; a field `foreach` in YAML. */
  readonly items: ($: Dollar<Known>) => Items;
  readonly maxConcurrency?: number;
  readonly sequential?: true;
  /** A number of items, or a part of them (`10%`). */
  readonly tolerate?: Tolerate;
}

/** `until` and `carry` read the steps inside, so they are said to the builder of the body. */
export interface LoopSettings<Known extends KnownTypes, Start, Schema> extends BlockSettings<Known, Schema> {
  /** `carry` of the first round. */
  readonly with?: ($: Dollar<Known>) => Start;
  readonly while?: ConditionOption<InBlock<Known, LoopNames<Start>>>;
  readonly maxIterations: number;
  readonly delay?: DurationOption;
  readonly exhausted?: "fail" | "succeed";
}

/** A builder's types inside a block: no steps yet, those so far outside, and the names that the block adds. */
export type InBlock<Known extends KnownTypes, Names> = Omit<Known, "steps" | "outer" | "block"> & {
  readonly steps: object;
  readonly outer: Omit<Known["outer"], keyof Known["steps"]> & Known["steps"];
  readonly block: Omit<Known["block"], keyof Names> & Names;
};

export interface ForeachNames<Items> {
  readonly item: ItemOf<Resolved<Items>>;
  readonly index: number;
}

export interface LoopNames<Start> {
  readonly carry: Resolved<Start>;
  readonly round: number;
}

type ItemOf<List> = [Json] extends [List] ? Json : [List] extends [readonly (infer Item)[]] ? Item : Json;

/** Output of a `foreach`: a failure that is tolerated leaves null. */
export type ItemOutputs<Output, Tolerate> = Held<readonly (undefined extends Tolerate ? Output : Output | null)[]>;

/** A value, or one that is held, at every level. */
export type Given<Value> = Value | Held<Value> | (Value extends object ? { readonly [Name in keyof Value]: Given<Value[Name]> } : never);

declare const produced: unique symbol;

/** A body that is complete, with the type of what one item or round gives. */
export interface Finished<Output> {
  readonly [produced]: Output;
}

/** Without an `output`: the outputs of all steps by id. */
export type AllOutputs<Known extends KnownTypes> = { readonly [Id in keyof Known["steps"]]: Known["steps"][Id] };
