import type { Operator } from "../../../src/index.ts";
import { effectOperators, OpenRequests } from "../crash/effect-operators.ts";
import { Failpoint } from "../crash/failing-ledger.ts";

/** The effects of the crash matrix, in processes that do not kill themselves. */
export function chaosOperators(sink: string): Readonly<Record<string, Operator<never>>> {
  return effectOperators(sink, new Failpoint(null, () => undefined), new OpenRequests());
}
