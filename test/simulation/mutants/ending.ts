import type { Mutant } from "../../mutants/mutant.ts";

/** Faults planted into what ends a run from outside, and into what a person confirms. */
export const ENDING_MUTANTS: readonly Mutant[] = [
  {
    name: "pause outlives the cancel",
    does: "a run that was paused and is cancelled waits for ever in its undoing",
    file: "src/engine/run-driver.ts",
    from: '    if (row.kind === "cancel" && row.consumedAt === null) this.#recorder.ending();\n',
    to: "",
  },
  {
    name: "run timeout before its time",
    does: "a run has taken too long before it has",
    file: "src/engine/run-timers.ts",
    from: "    if (this.#timeoutMs !== null) this.restore(at + this.#timeoutMs);",
    to: "    if (this.#timeoutMs !== null) this.restore(at + this.#timeoutMs - 20);",
  },
  {
    name: "run timeout of the process",
    does: "the deadline of a run is kept by a timer of the process alone",
    file: "src/engine/run-timers.ts",
    from: "    this.#deadline = this.#host.alarm(deadlineAt, this.#onDeadline);",
    to: "    this.#deadline = this.#host.clock.setTimer(Math.max(0, deadlineAt - this.#host.ledgerNow()), this.#onDeadline);",
  },
  {
    name: "deadline kept",
    does: "the deadline of a parked run outlives its end",
    file: "src/engine/run-recorder.ts",
    from: '    this.#core.journal.write({ write: "deleteWait", runId: this.#core.runId, ordinal: DEADLINE_ORDINAL });\n',
    to: "",
  },
  {
    name: "nobody asked",
    does: "a step that a person is to confirm after a crash begins again by itself",
    file: "src/engine/run-steps.ts",
    from: '    if (step.delivery === "confirm") {',
    to: '    if (step.delivery === "confirm" && state.attempt > 1_000) {',
  },
  {
    name: "held and not asked",
    does: "a step that a person is to confirm begins again with the run that somebody let go on",
    file: "src/engine/restore-steps.ts",
    from: 'state.step.delivery === "at-least-once"',
    to: 'state.step.delivery !== "at-most-once"',
  },
  {
    name: "confirmed without its wake",
    does: "a confirmed step forgets what had come for it before the crash",
    file: "src/engine/suspend-step.ts",
    from: "{ confirms: true, ...wokenOf(state) }",
    to: "{ confirms: true }",
  },
];
