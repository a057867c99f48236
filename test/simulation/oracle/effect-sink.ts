import { isTerminalStep } from "../../../src/model/status.ts";
import type { OperatorContext, Wake } from "../../../src/operators/operator.ts";
import type { PlannedCall, Program } from "../programs/construct.ts";
import type { DurableLog } from "./durable-log.ts";
import { cutAt, declaredAs, type RunTrack, type StepTrack } from "./tracks.ts";

/** An operator is called, or told of the wake that it suspended for. */
export type Phase = "execute" | "resume";

interface Effect {
  readonly phase: Phase;
  readonly attempt: number;
}

/** The world outside the engine: it keeps every call of an operator, and holds each against what was durable at that moment. */
export class EffectSink {
  /** By run and step. */
  readonly effects = new Map<string, Effect[]>();
  readonly #log: DurableLog;
  readonly #programs: ReadonlyMap<string, Program>;

  constructor(log: DurableLog, programs: ReadonlyMap<string, Program>) {
    this.#log = log;
    this.#programs = programs;
  }

  of(publicId: string, step: string): readonly Effect[] {
    return this.effects.get(`${publicId}/${step}`) ?? [];
  }

  /** An operator is called. Returns how it is to behave. */
  called(context: OperatorContext, phase: Phase): PlannedCall {
    const { workflow, runId, stepId, attempt, idempotencyKey: key } = context;
    const planned = this.#programs.get(workflow)?.calls.get(declaredAs(stepId));
    if (planned === undefined) throw new Error(`${workflow} has no step ${stepId} that calls`);
    const where = `step ${stepId} of ${runId}`;
    const before = this.of(runId, stepId);
    const run = this.#log.byPublicId.get(runId);
    const step = run?.byPath.get(stepId);
    if (key !== (planned.key ?? `${runId}:${stepId}`)) this.#log.violated("P4", `${where} was called with key ${key}`);
    if (before.some((effect) => effect.phase === phase && effect.attempt >= attempt))
      this.#log.violated("P4", `${where} was called for attempt ${attempt} again`);
    if (phase === "execute" && before.some((effect) => effect.phase === "resume"))
      this.#log.violated("P7", `${where} was called anew although what it had waited for was there`);
    if (run === undefined || step === undefined || step.attempt < attempt)
      this.#log.violated("P4", `${where} was called for attempt ${attempt} before its start was durable`);
    else this.#judge(where, run, step, attempt, planned);
    this.effects.set(`${runId}/${stepId}`, [...before, { phase, attempt }]);
    return planned;
  }

  /** An operator is told of its wake: it must be what the ledger holds for it. */
  resumed({ runId, stepId }: OperatorContext, wake: Wake): void {
    const step = this.#log.byPublicId.get(runId)?.byPath.get(stepId);
    const kept = step?.wait?.detail;
    if (kept?.includes(`"payload":${JSON.stringify(wake.payload)}`) !== true)
      this.#log.violated("P7", `step ${stepId} of ${runId} was told of ${JSON.stringify(wake)}, and its row says ${kept}`);
  }

  #judge(where: string, run: RunTrack, step: StepTrack, attempt: number, planned: PlannedCall): void {
    if (isTerminalStep(step.status)) this.#log.violated("P3", `${where} was called after it had settled as ${step.status}`);
    else if (step.status !== "RUNNING") this.#log.violated("P4", `${where} was called while it was ${step.status}`);
    if (step.startedAt > (cutAt(run) ?? Number.POSITIVE_INFINITY) && step.kind !== "compensation")
      this.#log.violated("P8", `${where} began after the end of its run`);
    if (step.failed.size >= planned.maxAttempts)
      this.#log.violated("P4", `${where} was called although its ${planned.maxAttempts} tries had failed`);
    const isKnown = attempt === 1 || step.failed.has(attempt - 1);
    if (planned.isAtMostOnce && !isKnown) this.#log.violated("P4", `${where} was called again although it must not start twice`);
    if (planned.isConfirmed && !isKnown && !this.#log.tasks.isApproved(run, step.ordinal, attempt - 1))
      this.#log.violated("P4", `${where} was called again although nobody had said so`);
  }
}
