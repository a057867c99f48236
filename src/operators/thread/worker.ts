import { StepwellError } from "../../model/errors.ts";
import { type Json, toJson } from "../../model/json.ts";
import { fromPortable, type PortableError, toPortable } from "../../model/portable-error.ts";
import { loadOperator } from "../load.ts";
import type { Logger } from "../operator.ts";
import { type SuspendRequest, Suspension } from "../suspension.ts";
import type { FromThread, ThreadCall, ThreadOutcome } from "./messages.ts";

/**
 * Runs one operator in this thread. Never throws: a rejection would be indistinguishable from the death of the thread. The
 * output becomes plain JSON here, where `toJSON` of its objects still exists.
 */
export async function runCall({ moduleUrl, exportName, input, context, port }: ThreadCall): Promise<ThreadOutcome> {
  const send = (message: FromThread) => port.postMessage(message);
  const controller = new AbortController();
  port.on("message", (reason: PortableError) => controller.abort(fromPortable(reason)));
  try {
    const operator = await loadOperator(moduleUrl, exportName);
    send({ type: "started" });
    const suspend = (request: SuspendRequest) => new Suspension(request);
    const output: unknown = await operator(input, {
      ...context,
      signal: controller.signal,
      log: forwardingLogger(send),
      suspend,
      transaction,
    });
    if (output instanceof Suspension) return { ok: true, suspended: output.request };
    return { ok: true, output: toJson(output, `the output of step "${context.stepId}"`) };
  } catch (error) {
    return { ok: false, error: toPortable(error) };
  }
}

const transaction = (): Promise<never> =>
  Promise.reject(new StepwellError("NOT_SUPPORTED", "A step in a thread of its own has no transactions"));

function forwardingLogger(send: (message: FromThread) => void): Logger {
  const write = (level: keyof Logger) => (message: string, fields?: Readonly<Record<string, Json>>) =>
    send({ type: "log", level, message, fields });
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
