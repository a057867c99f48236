import { approval } from "./approval.ts";
import { call } from "./call.ts";
import { child } from "./child.ts";
import { choice } from "./choice.ts";
import type { Construct, Node } from "./construct.ts";
import { event } from "./event.ts";
import { foreach } from "./foreach.ts";
import { guard } from "./guard.ts";
import { loop } from "./loop.ts";
import { parallel } from "./parallel.ts";
import { sequence } from "./sequence.ts";
import { signal } from "./signal.ts";
import { sleep } from "./sleep.ts";
import { task } from "./task.ts";

/** A construct whose nodes come from itself alone: what `grow` made is what `write` and `predict` are given. */
function erase<N extends Node>(construct: Construct<N>): Construct {
  return construct as unknown as Construct;
}

/** What waits, whatever else it does. */
export const WAITS: readonly Construct[] = [erase(sleep), erase(signal), erase(event), erase(approval), erase(task)];

/** The vocabulary of random programs. */
export const CONSTRUCTS: readonly Construct[] = [
  erase(call),
  erase(guard),
  erase(sequence),
  erase(parallel),
  erase(choice),
  erase(foreach),
  erase(loop),
  erase(child),
  ...WAITS,
];
