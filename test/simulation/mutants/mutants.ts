/** A fault planted into the engine: one replacement in one source file. */
export interface Mutant {
  readonly name: string;
  /** What it makes of the engine. */
  readonly does: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Of the engine without waits and blocks. Each of these must make the simulation fail; a harness that has never caught a planted fault proves nothing. */
export const FIRST_MUTANTS: readonly Mutant[] = [
  {
    name: "ack before commit",
    does: "a start is acknowledged before its run is on disk",
    file: "src/engine/run-starter.ts",
    from: "      this.#pending.set(runId, { publicId, resolve, reject });",
    to: "      resolve(publicId);",
  },
  {
    name: "end told before commit",
    does: "a caller hears the end of a run when it is decided",
    file: "src/engine/run-driver.ts",
    from: "    this.#end = this.#recorder.ended(end);",
    to: "    this.#end = this.#recorder.ended(end);\n    this.host.onEnded(this, this.#end);",
  },
  {
    name: "launch before commit",
    does: "operators are called while the commit that starts them is in flight",
    file: "src/ledger/committer.ts",
    from: "      const outcome = await this.#ledger.commit({ epoch: this.#epoch, units });",
    to: '      announce(runs, 0, []);\n      const outcome = await this.#ledger.commit({ epoch: this.#epoch, units });\n      if (outcome.outcome === "committed") return undefined;',
  },
  {
    name: "inbox check dropped",
    does: "a unit is written although its run has a newer signal",
    file: "src/ledger/memory/ledger.ts",
    from: '    return run !== undefined && Number(run["inbox_seq"]) > inboxSeq;',
    to: "    return run === undefined && inboxSeq < 0;",
  },
  {
    name: "miss taken for a commit",
    does: "a unit that the ledger left out is taken for written",
    file: "src/ledger/committer.ts",
    from: "  if (missed.length === 0) {",
    to: "  if (missed.length >= 0) {",
  },
  {
    name: "signal never consumed",
    does: "a signal takes effect and stays unread",
    file: "src/engine/run-recorder.ts",
    from: '    journal.write({ write: "consumeInbox", runId, seq });\n',
    to: "",
  },
  {
    name: "result told twice",
    does: "an attempt that timed out tells a second result when its operator comes back",
    file: "src/engine/attempt.ts",
    from: "    if (this.#ended) {\n",
    to: "    if (this.#ended && this.attempt < 0) {\n",
  },
  {
    name: "recovery skipped",
    does: "RUNNING runs of a dead engine are not taken up",
    file: "src/engine/pickup.ts",
    from: "    await this.#recover();\n    await this.#claimQueued();\n",
    to: "    await this.#claimQueued();\n",
  },
  {
    name: "due look forgotten",
    does: "nobody looks for parked runs whose time has come",
    file: "src/engine/pickup.ts",
    from: "      for (const { runId } of page) await this.#host.takeUp(runId);\n",
    to: "",
  },
  {
    name: "others' writes forgotten",
    does: "nobody looks for runs and signals that another process wrote",
    file: "src/engine/pickup.ts",
    from: "    if (await this.#ledger.changedElsewhere()) {",
    to: "    if ((await this.#ledger.changedElsewhere()) && this.#isStopped) {",
  },
  {
    name: "join fires at the first",
    does: "a join waits for one of its needs only",
    file: "src/scheduler/topology.ts",
    from: "    initialWords[to] = withOneEdgeMore(at(initialWords, to));",
    to: "    if (degree === 1) initialWords[to] = withOneEdgeMore(at(initialWords, to));",
  },
  {
    name: "clock of the process",
    does: "due times are judged by the wall clock of the process",
    file: "src/engine/ledger-time.ts",
    from: "      const now = await this.#read();\n",
    to: "      const now = await Promise.resolve(this.#clock.now());\n",
  },
  {
    name: "early timer believed",
    does: "a timer that fires a moment early ends its wait",
    file: "src/engine/ledger-time.ts",
    from: "      if (now < dueAt) set(dueAt - now);",
    to: "      if (now < dueAt - 1_000_000) set(dueAt - now);",
  },
  {
    name: "retry not counted",
    does: "a failed attempt does not count against the tries",
    file: "src/engine/tell-outcome.ts",
    from: "    state.failures += 1;\n",
    to: "",
  },
  {
    name: "epoch check dropped",
    does: "what a dead engine had sent is written after the next one took over",
    file: "src/ledger/memory/ledger.ts",
    from: '      if (epoch !== this.#epoch) return { outcome: "fenced" };\n',
    to: "",
  },
  {
    name: "crashes never reset",
    does: "crashes count although attempts come back in between",
    file: "src/engine/run-recorder.ts",
    from: "    if (this.#crashes === 0) return;\n    this.#crashes = 0;\n",
    to: "    if (this.#crashes === 0) return;\n",
  },
  {
    name: "crashes never counted",
    does: "a run that kills its engines is delivered again without end",
    file: "src/engine/run-recorder.ts",
    from: '    if (before !== "shutdown") this.#crashes += 1;\n',
    to: "",
  },
  {
    name: "orderly stop counted as a crash",
    does: "an engine that was stopped in order is counted as one that died",
    file: "src/engine/run-recorder.ts",
    from: '    if (before !== "shutdown") this.#crashes += 1;',
    to: "    this.#crashes += 1;",
  },
  {
    name: "facts lost with a miss",
    does: "outcomes that were not yet on disk are forgotten when a signal comes between",
    file: "src/engine/run-driver.ts",
    from: "    for (const fact of facts) this.#tell(fact);\n",
    to: "",
  },
  {
    name: "lost steps forgotten after a miss",
    does: "a run that is read back before its first commit forgets what the dead engine left RUNNING",
    file: "src/engine/run-driver.ts",
    from: "    const lost = isTakenOver ? [] : this.#steps.foundRunning();\n",
    to: "    const lost: readonly StepState[] = [];\n",
  },
  {
    name: "attempt does not grow",
    does: "a step begins again under the same attempt number",
    file: "src/engine/run-steps.ts",
    from: "    state.attempt += 1;\n",
    to: "",
  },
  {
    name: "at-most-once twice",
    does: "a step that must not start twice does after a crash",
    file: "src/engine/run-steps.ts",
    from: '    if (step.delivery === "at-most-once") {',
    to: '    if (step.delivery === "at-most-once" && state.attempt < 0) {',
  },
  {
    name: "cancel starts the rest",
    does: "a cancel aborts what runs and lets the rest begin",
    file: "src/engine/blocks/block-scopes.ts",
    from: '    if (ending === "cancel") scope.scheduler.cancelRun();\n    else if',
    to: "    if",
  },
  {
    name: "key of the attempt",
    does: "every attempt of a step gets a key of its own",
    file: "src/engine/attempt.ts",
    from: "    return this.#key ?? `${this.runId}:${this.stepId}`;",
    to: "    return `${this.#key ?? this.runId}:${this.stepId}:${this.attempt}`;",
  },
  {
    name: "start key dropped",
    does: "a run is stored without the key that started it",
    file: "src/engine/run-starter.ts",
    from: "      idempotencyKey,\n      idempotencyHash,\n",
    to: "      idempotencyKey: null,\n      idempotencyHash,\n",
  },
  {
    name: "busy ledger drops units",
    does: "what a full or busy ledger refused is not tried again",
    file: "src/ledger/committer.ts",
    from: "      if (units.length === 0) break;",
    to: "      if (units.length >= 0) break;",
  },
  {
    name: "held run goes on",
    does: "the ready steps of a held run start without a person",
    file: "src/engine/run-steps.ts",
    from: "    return this.core.host.isStopping || this.core.isHeld;",
    to: "    return this.core.host.isStopping;",
  },
  {
    name: "selection lost in a crash",
    does: "a switch that was read back has selected nothing",
    file: "src/scheduler/restore.ts",
    from: "    if (selected !== null) select(state, ordinal, selected);\n",
    to: "",
  },
];
