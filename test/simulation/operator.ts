import type { Json } from "../../src/model/json.ts";
import { isJsonObject } from "../../src/model/json.ts";
import { approval } from "../../src/operators/approval/execute.ts";
import type { Operator, OperatorContext, ResumableOperator } from "../../src/operators/operator.ts";
import { sleep } from "../../src/operators/sleep/execute.ts";
import { task } from "../../src/operators/task/execute.ts";
import { wait } from "../../src/operators/wait/execute.ts";
import { workflow } from "../../src/operators/workflow/execute.ts";
import type { CommitPoint } from "./oracle/commit-points.ts";
import type { DurableLog } from "./oracle/durable-log.ts";
import type { EffectSink, Phase } from "./oracle/effect-sink.ts";
import type { Side } from "./oracle/write-points.ts";
import { numberIn } from "./programs/body.ts";
import { refuses } from "./programs/call.ts";
import type { PlannedCall } from "./programs/construct.ts";
import { outputOf } from "./programs/leaf.ts";
import type { Kernel } from "./time/kernel.ts";
import type { SimProcess } from "./time/process.ts";

/** What an operator finds around it. */
export interface Surroundings {
  readonly kernel: Kernel;
  readonly log: DurableLog;
  readonly sink: EffectSink;
  trace(line: string): void;
  /** Whether the process dies here. */
  dies(process: SimProcess, at: CommitPoint, side: Side): boolean;
}

/** For those whom nobody hears any more. */
/** One for each that waits: what waits for a promise is kept as long as that. */
const never = (): Promise<never> => new Promise(() => undefined);

/** The operators of the built-in names: what they do is what the engine must keep its promises about. */
const WAITING: Readonly<Record<string, Operator>> = { sleep, wait, workflow, approval, task };

/** Every operator of a process, each of which leaves its effect in the sink. */
export function operatorsOf(world: Surroundings, process: SimProcess): Readonly<Record<string, Operator | ResumableOperator>> {
  const waiting = Object.entries(WAITING).map(([name, operator]) => [name, watched(world, process, operator)] as const);
  return { act: actor(world, process), hold: holder(world, process), ...Object.fromEntries(waiting) };
}

function watched(world: Surroundings, process: SimProcess, operator: Operator): Operator {
  return (input, context) => (called(world, process, context, "execute") === undefined ? never() : operator(input, context));
}

/** Leaves its effect in the sink and then does what the program says of the step. */
function actor(world: Surroundings, process: SimProcess): Operator {
  return (input, context) => act(world, process, context, "execute", givenTo(input));
}

/** Waits for a signal; what it brought is part of what it then does. */
function holder(world: Surroundings, process: SimProcess): ResumableOperator {
  return {
    execute: (input, context) => {
      if (called(world, process, context, "execute") === undefined) return never();
      const name = isJsonObject(input) ? input["name"] : null;
      return context.suspend({ kind: "signal", key: typeof name === "string" ? name : "", partial: input });
    },
    resume: (context, wake, partial) => {
      world.sink.resumed(context, wake);
      const given = givenTo(partial);
      return act(world, process, context, "resume", { ...given, value: given.value + numberIn(wake.payload) });
    },
  };
}

interface Given {
  readonly seed: number;
  readonly from: Json;
  /** What decides whether it refuses. */
  readonly plus: number;
  /** What it makes its output of, beside its seed. */
  readonly value: number;
}

function givenTo(input: Json): Given {
  const given = isJsonObject(input) ? input : {};
  const plus = Number(given["plus"] ?? 0);
  return { seed: Number(given["seed"]), from: given["from"] ?? null, plus, value: plus };
}

function act(world: Surroundings, process: SimProcess, context: OperatorContext, phase: Phase, given: Given): unknown {
  const planned = called(world, process, context, phase);
  if (planned === undefined) return never();
  const { durationMs, hangs } = planned.behaviour;
  if (durationMs === 0 && !hangs) return finish(world, process, planned, given, context);
  return take(world, process, planned, context).then(() => finish(world, process, planned, given, context));
}

/** Undefined when the process died over it. */
function called(world: Surroundings, process: SimProcess, context: OperatorContext, phase: Phase): PlannedCall | undefined {
  if (world.dies(process, "C08", "before") || !process.isAlive) return undefined;
  const planned = world.sink.called(context, phase);
  world.kernel.stirred();
  world.trace(`${process.name} ${world.kernel.nowMs} ${phase} ${context.runId}/${context.stepId}#${context.attempt}`);
  return world.dies(process, "C08", "after") ? undefined : planned;
}

/** Takes its time; one that obeys ends when it is told to stop. */
async function take(world: Surroundings, process: SimProcess, { behaviour }: PlannedCall, { signal }: OperatorContext): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (!behaviour.hangs) world.kernel.after(behaviour.durationMs, process, resolve);
    signal.addEventListener("abort", () => {
      if (world.dies(process, "C25", "before")) return;
      world.kernel.soon(process, () => void world.dies(process, "C25", "after"));
      if (behaviour.obeys) reject(signal.reason);
    });
  });
}

function finish(
  world: Surroundings,
  process: SimProcess,
  { behaviour }: PlannedCall,
  { seed, from, plus, value }: Given,
  { runId, stepId }: OperatorContext,
): unknown {
  if (world.dies(process, "C10", "before") || !process.isAlive) return never();
  const recorded = world.log.byPublicId.get(runId)?.byPath.get(stepId)?.failed.size ?? 0;
  // in the turn after: what it returned is known to the engine, and not yet written
  world.kernel.soon(process, () => void world.dies(process, "C10", "after"));
  if (refuses(behaviour, plus)) throw new Error(`${stepId} takes no ${plus}`);
  if (recorded < behaviour.failures) throw new Error(`failure ${recorded + 1} of ${stepId}`);
  return outputOf(seed + value * 7, from, behaviour);
}
