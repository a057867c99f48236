import type { Unit } from "../ledger/writes.ts";
import { StepwellError } from "../model/errors.ts";
import { toJson } from "../model/json.ts";
import type { TransactionWork } from "../model/sql-client.ts";
import { Suspension } from "../operators/suspension.ts";
import type { Attempt } from "./attempt.ts";
import type { LiveSteps } from "./live-steps.ts";
import type { Succeeded } from "./run-journal.ts";
import { concealIn } from "./secrets.ts";
import { successWith } from "./settle-step.ts";

/**
 * Runs `work` in a transaction that commits what it wrote together with the success of the step; what it gives is the step's result.
 *
 * @param current the steps of its run, which are made anew when that is read back
 * @throws StepwellError `NOT_SUPPORTED`, `TRANSACTION_INVALID`, `LEDGER_FENCED`, `STEP_CANCELLED`, what checking the result raises; and
 *   whatever `work` throws, after the transaction has been rolled back
 */
export async function inTransaction<T>(attempt: Attempt, current: () => LiveSteps, work: TransactionWork<T>): Promise<T> {
  const { core } = current();
  const { transactions, epoch } = core.host;
  if (transactions === null) {
    throw new StepwellError("NOT_SUPPORTED", "This ledger has no transactions for steps", {
      hint: "A step can commit its result with rows of its own only where the ledger is in PostgreSQL.",
    });
  }
  const transaction = await transactions.begin();
  let value: T;
  let result: Succeeded;
  let unit: Unit;
  try {
    value = await work(transaction.client);
    attempt.expectAlive();
    const output = await checked(attempt, current(), value);
    attempt.expectAlive();
    const { revision } = core.journal;
    const steps = current();
    const writes = steps.recorder.settlingWrites(steps.stateOf(attempt.ordinal), output.text, revision);
    result = { ...output, committedAt: revision };
    unit = { runId: core.runId, inboxSeq: null, writes };
  } catch (thrown) {
    await transaction.rollback();
    throw thrown;
  }
  attempt.beginCommit();
  try {
    const end = await transaction.commit(epoch, unit);
    if (end !== "committed") throw refusal(end);
  } catch (thrown) {
    attempt.endCommit(undefined);
    throw thrown;
  }
  attempt.endCommit(result);
  return value;
}

async function checked({ secrets, stepId, ordinal }: Attempt, steps: LiveSteps, value: unknown): Promise<Succeeded> {
  if (value instanceof Suspension) {
    throw new StepwellError("TRANSACTION_INVALID", "A transaction gives the result of its step, and cannot suspend it");
  }
  const returned = secrets.length === 0 ? value : concealIn(toJson(value, `the result of step "${stepId}"`), secrets);
  return successWith(steps, steps.stateOf(ordinal), returned);
}

function refusal(end: "refused" | "fenced" | "ended"): StepwellError {
  switch (end) {
    case "refused":
      return new StepwellError("STEP_CANCELLED", "the step ended before its transaction did: nothing of it was written");
    case "fenced":
      return new StepwellError("LEDGER_FENCED", "this engine lost its lease: nothing of the transaction was written");
    case "ended":
      return new StepwellError("TRANSACTION_INVALID", "the work ended the transaction itself", {
        hint: "Leave COMMIT and ROLLBACK to Stepwell: return to commit, throw to roll back.",
      });
  }
}
