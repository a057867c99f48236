import type { Ledger, StoredRun } from "../../../src/ledger/port.ts";
import type { InboxRow, RunRow, StepRow } from "../../../src/ledger/rows.ts";
import { isTerminalRun, isTerminalStep } from "../../../src/model/status.ts";
import { NO_WAIT } from "../../simulation/oracle/unit-rules.ts";
import { type Book, TENANT } from "./book.ts";

interface Seen {
  readonly run: RunRow;
  readonly steps: ReadonlyMap<number, StepRow>;
  readonly inbox: readonly InboxRow[];
}

/** Reads the rows whenever no engine lives, and holds them against the rules and against what they were before. */
export class RowRules {
  readonly #seen = new Map<number, Seen>();
  readonly #ledger: Ledger;
  readonly #book: Book;

  constructor(ledger: Ledger, book: Book) {
    this.#ledger = ledger;
    this.#book = book;
  }

  async check(): Promise<void> {
    const { runs } = await this.#ledger.listRuns({ tenant: TENANT, limit: 100 });
    for (const { id, publicId } of runs) {
      const stored = await this.#ledger.loadRun(id);
      if (stored === undefined) this.#book.violated("lost", `run ${publicId} has no rows`);
      else this.#checkRun(stored, await this.#ledger.waits.listSignals(TENANT, publicId));
    }
    for (const [id, { run }] of this.#seen)
      if (!runs.some((row) => row.id === id)) this.#book.violated("lost", `run ${run.publicId} was in the ledger and no longer is`);
  }

  #checkRun(stored: StoredRun, inbox: readonly InboxRow[]): void {
    const { run, steps, waits } = stored;
    const wrong = (what: string): void => this.#book.violated("other", `run ${run.workflow} ${run.publicId} ${what}`);
    const isOver = isTerminalRun(run.status);
    if ((run.finishedAt !== null) !== isOver) wrong(`is ${run.status} and finished at ${run.finishedAt}`);
    if (isOver && waits.length > 0) wrong("has ended and still waits");
    const waiting = new Set(waits.map(({ ordinal }) => ordinal));
    for (const step of steps) {
      const { ordinal, status, reason, finishedAt } = step;
      if (status === "RUNNING" && run.status !== "RUNNING") wrong(`is ${run.status} and step ${ordinal} is RUNNING`);
      if (isOver && !isTerminalStep(status)) wrong(`has ended and step ${ordinal} is ${status}`);
      if ((finishedAt !== null) !== isTerminalStep(status)) wrong(`step ${ordinal} is ${status} and finished at ${finishedAt}`);
      if (status === "SUSPENDED" && !waiting.has(ordinal) && !NO_WAIT.has(reason))
        wrong(`step ${ordinal} is SUSPENDED (${reason}) for nothing`);
      if (isTerminalStep(status) && waiting.has(ordinal)) wrong(`step ${ordinal} is ${status} and still waits`);
    }
    this.#compare(stored, inbox, wrong);
    this.#seen.set(run.id, { run, inbox, steps: new Map(steps.map((step) => [step.ordinal, step])) });
  }

  /** What is settled stays so, attempts only grow, and the inbox keeps what it took. */
  #compare({ run, steps }: StoredRun, inbox: readonly InboxRow[], wrong: (what: string) => void): void {
    const before = this.#seen.get(run.id);
    if (before === undefined) return;
    if (run.revision < before.run.revision) wrong(`went back from revision ${before.run.revision} to ${run.revision}`);
    if (isTerminalRun(before.run.status) && run.revision !== before.run.revision) wrong(`had ended ${before.run.status} and was changed`);
    for (const step of steps) {
      const earlier = before.steps.get(step.ordinal);
      if (earlier === undefined) continue;
      if (step.attempt < earlier.attempt) wrong(`step ${step.ordinal} goes back to attempt ${step.attempt}`);
      const isChanged = step.status !== earlier.status || step.output !== earlier.output || step.attempt !== earlier.attempt;
      if (isTerminalStep(earlier.status) && isChanged) wrong(`step ${step.ordinal} was ${earlier.status} and is ${step.status} now`);
    }
    for (const row of before.inbox) {
      const same = inbox.find(({ id }) => id === row.id);
      if (same === undefined) wrong(`lost ${row.kind} ${row.seq} of its inbox`);
      else if (row.consumedAt !== null && same.consumedAt !== row.consumedAt) wrong(`consumed ${row.kind} ${row.seq} twice`);
    }
    for (const [index, { seq }] of inbox.entries()) if (seq !== index + 1) wrong(`numbered its inbox row ${index + 1} with ${seq}`);
  }
}
