import type { MessagePort } from "node:worker_threads";
import { invariant } from "../../model/errors.ts";
import { toPortable } from "../../model/portable-error.ts";
import type { Ledger } from "../port.ts";
import type { Call, FromThread } from "./protocol.ts";

/** Opens a ledger in this thread and does what the other end of the port asks of it, until that closes it. */
export async function serveLedger(port: MessagePort, open: () => Promise<Ledger>): Promise<void> {
  const tell = (message: Told): void => port.postMessage(message);
  let ledger: Ledger;
  try {
    ledger = await open();
  } catch (cause) {
    tell({ type: "refused", error: toPortable(cause) });
    port.close();
    return;
  }
  let unanswered = 0;
  let isClosed = false;
  port.on("message", (call: Call) => void answer(call));
  tell({ type: "opened", lanes: ledger.lanes, isShared: ledger.isShared });

  async function answer(call: Call): Promise<void> {
    const { id, method } = call;
    unanswered++;
    try {
      tell({ type: "answer", id, value: await perform(ledger, call) });
      isClosed ||= method === "close";
    } catch (cause) {
      tell({ type: "failure", id, error: toPortable(cause) });
    }
    unanswered--;
    if (isClosed && unanswered === 0) port.close();
  }
}

/** An answer is whatever the method gives. */
type Told = Exclude<FromThread, { readonly type: "answer" }> | { readonly type: "answer"; readonly id: number; readonly value: unknown };

async function perform(ledger: Ledger, { part, method, args }: Call): Promise<unknown> {
  const target = part === null ? ledger : ledger[part];
  const found: unknown = Reflect.get(target, method);
  invariant(typeof found === "function", `a ledger has the method ${method}`);
  return Reflect.apply(found, target, args);
}
