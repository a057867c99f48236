import type { Book } from "../crash/book.ts";
import type { SinkCall } from "../crash/sink.ts";
import { StepKeys } from "../crash/step-keys.ts";

/**
 * What the sink saw of several workers. One that was frozen or cut off may send a request late, when its attempt has long been given up
 * and another one has the run: nobody but the sink could refuse it, and it is told by its attempt. It is counted, and is not wrong.
 *
 * @returns how many came late
 */
export function judgeSharedCalls(book: Book, calls: readonly SinkCall[]): number {
  const keys = new StepKeys(book);
  const seen = new Set<string>();
  let late = 0;
  for (const call of calls) {
    const { run, step, key, attempt, found, foundAttempt } = call;
    const name = `${step} of ${book.runs.get(run)?.key ?? run}`;
    const is = `attempt ${attempt} of ${name}`;
    if (foundAttempt === undefined || found === "PENDING" || foundAttempt < attempt)
      book.violated("other", `${is} was executed before the ledger held it (${found}, attempt ${foundAttempt})`);
    else if (foundAttempt > attempt) late += 1;
    else if (found === "SUCCEEDED") book.violated("repeated", `${is} was executed again after it had succeeded`);
    if (seen.has(`${key} ${attempt}`)) book.violated("stale", `${is} was executed twice`);
    seen.add(`${key} ${attempt}`);
    keys.judge(call, name);
  }
  return late;
}
