/** A fault planted into the engine: one replacement in one source file. */
export interface Mutant {
  readonly name: string;
  /** What it makes of the engine. */
  readonly does: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Each of these must make the crash matrix fail; one that never caught a planted fault proves nothing. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: "ack before commit",
    does: "a start is acknowledged before its run is on disk",
    file: "src/engine/run-starter.ts",
    from: "      this.#pending.set(runId, { publicId, resolve, reject });",
    to: "      resolve(publicId);",
  },
  {
    name: "launch before commit",
    does: "operators are called while the commit that starts them is in flight",
    file: "src/ledger/committer.ts",
    from: "      const outcome = await this.#ledger.commit({ epoch: this.#epoch, units });",
    to: '      announce(runs, Date.now(), []);\n      await Promise.resolve();\n      const outcome = await this.#ledger.commit({ epoch: this.#epoch, units });\n      if (outcome.outcome === "committed") return undefined;',
  },
  {
    name: "signal never consumed",
    does: "a signal takes effect and stays unread",
    file: "src/engine/step-recorder.ts",
    from: '    journal.write({ write: "consumeInbox", runId, seq });\n    const detail',
    to: '    journal.write({ write: "deleteSubscriptions", runId, ordinal: -seq });\n    const detail',
  },
  {
    name: "recovery forgotten",
    does: "RUNNING runs of a dead engine are not taken up",
    file: "src/ledger/sql/reads.ts",
    from: "AND (status = 'RUNNING' OR (status = 'SUSPENDED' AND",
    to: "AND (1 = 0 OR (status = 'SUSPENDED' AND",
  },
  {
    name: "child's end not told",
    does: "the end of a child is not written into its parent's inbox",
    file: "src/engine/run-recorder.ts",
    from: "    if (this.#parent !== null) this.#tellParent(this.#parent, end);\n",
    to: "",
  },
  {
    name: "time from the start of the process",
    does: "due times are compared with a clock that counts the life of the process twice",
    file: "src/engine/ledger-time.ts",
    from: "    this.#offset = now - this.#clock.monotonic();",
    to: "    this.#offset = now;",
  },
  {
    name: "timer over after a restart",
    does: "a wait for time that is read back counts as over",
    file: "src/engine/step-wait.ts",
    from: "delayMs: null, dueAt, timer: null, childRunId, detail:",
    to: "delayMs: null, dueAt: dueAt === null ? null : 0, timer: null, childRunId, detail:",
  },
  {
    name: "at-most-once started again",
    does: "a step that must not start twice begins again after a crash",
    file: "src/engine/run-steps.ts",
    from: '    if (step.delivery === "at-most-once") {\n      failStep',
    to: '    if (step.delivery === "at-most-once" && state.attempt > 9) {\n      failStep',
  },
  {
    name: "attempt not counted",
    does: "a step that begins again after a crash does so under the attempt that was lost",
    file: "src/engine/run-steps.ts",
    from: "    state.attempt += 1;\n    state.isHeld = false;",
    to: "    state.isHeld = false;",
  },
  {
    name: "key for each attempt",
    does: "the idempotency key of a step changes with its attempt",
    file: "src/engine/attempt.ts",
    from: "    return this.#key ?? `${this.runId}:${this.stepId}`;",
    to: "    return this.#key ?? `${this.runId}:${this.stepId}:${this.attempt}`;",
  },
  {
    name: "inbox not read at the start",
    does: "what was sent while no engine lived is not found by the next one",
    file: "src/engine/pickup.ts",
    from: "    await this.#readInbox();\n    await this.#askNextDue();",
    to: "    await this.#askNextDue();",
  },
  {
    name: "due times not read at the start",
    does: "an engine does not look for the due times of runs that another one parked",
    file: "src/engine/pickup.ts",
    from: "    await this.#askNextDue();\n    this.#schedule();",
    to: "    this.#schedule();",
  },
  {
    name: "pause does not outlive its engine",
    does: "a run that is read back does not know that it is paused",
    file: "src/engine/run-recorder.ts",
    from: "    this.#pausedBy = run.pausedBy;\n",
    to: "",
  },
  {
    name: "resent signal is another signal",
    does: "a signal that is sent again under its id is stored again",
    file: "src/ledger/signals.ts",
    from: "    ...(signalId === undefined ? {} : { signalId }),\n",
    to: "",
  },
  {
    name: "compensation forgotten",
    does: "a run that was being undone is not undone further after a restart",
    file: "src/engine/restore-steps.ts",
    from: '    else if (row.status === "SUCCEEDED" && step.compensate !== null) scope.canUndo',
    to: '    else if (row.status === "SKIPPED" && step.compensate !== null) scope.canUndo',
  },
];
