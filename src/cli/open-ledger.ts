import { existsSync } from "node:fs";
import type { Ledger } from "../ledger/port.ts";
import { isSharedLedger, ledgerFile, openLedger } from "../ledger/url.ts";
import { StepwellError } from "../model/errors.ts";

export const TENANT = "default";

/** Whether the ledger is there already, as far as can be said without asking a server; opening one that is not makes it. */
export function ledgerExists(url: string): boolean {
  if (isSharedLedger(url)) return true;
  const file = ledgerFile(url);
  return file !== undefined && existsSync(file);
}

/**
 * Opens a ledger that exists, without owning it: engines may be at work in it.
 *
 * @throws StepwellError `LEDGER_UNAVAILABLE` when there is none, and what opening raises
 */
export async function openExistingLedger(url: string): Promise<Ledger & AsyncDisposable> {
  if (!ledgerExists(url)) {
    throw new StepwellError("LEDGER_UNAVAILABLE", `There is no ledger at ${url}`, {
      hint: "The first run makes it; name another one with --ledger.",
    });
  }
  const ledger = await openLedger(url, { mustExist: true });
  return Object.assign(ledger, { [Symbol.asyncDispose]: () => ledger.close() });
}
