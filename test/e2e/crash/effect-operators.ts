import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import type { Operator, OperatorContext } from "../../../src/index.ts";
import { StepwellError } from "../../../src/model/errors.ts";
import { isJsonObject, type Json, parseJson } from "../../../src/model/json.ts";
import type { Failpoint } from "./failing-ledger.ts";

interface EffectInput {
  readonly what: string | number;
  /** `flaky`: the sink turns the first request away. */
  readonly mode?: "flaky";
}

const LARGE_RESULT = "x".repeat(5_000);

/** The requests to the sink that are on their way. */
export class OpenRequests {
  readonly #open = new Set<Promise<unknown>>();

  async during<T>(work: Promise<T>): Promise<T> {
    this.#open.add(work);
    try {
      return await work;
    } finally {
      this.#open.delete(work);
    }
  }

  /** Those of this turn of the event loop have been answered, or have failed. */
  async answered(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    await Promise.allSettled(this.#open);
  }
}

/** What the workflows of the matrix do: effects at the sink, which the process may not outlive. */
export function effectOperators(sink: string, failpoint: Failpoint, requests: OpenRequests): Readonly<Record<string, Operator<never>>> {
  const agent = new Agent({ keepAlive: true });

  async function send({ what, mode }: EffectInput, context: OperatorContext) {
    failpoint.pass("before", ["C08"]);
    const { runId, stepId, attempt, idempotencyKey } = context;
    const call = request(sink, { agent, method: "POST" });
    call.once("socket", () => failpoint.pass("after", ["C08"]));
    call.once("finish", () => failpoint.pass("before", ["C09"]));
    call.end(JSON.stringify({ run: runId, step: stepId, attempt, key: idempotencyKey, what, mode: mode ?? "plain", at: Date.now() }));
    const response = await requests.during(answered(call));
    failpoint.pass("after", ["C09"]);
    let text = "";
    for await (const chunk of response) text += String(chunk);
    failpoint.pass("before", ["C10"]);
    setImmediate(() => failpoint.pass("after", ["C10"]));
    if (response.statusCode !== 200) throw new StepwellError("HTTP_RETRYABLE_STATUS", `the sink answered ${response.statusCode}`);
    const answer = parseJson(text);
    stallIfTold(answer);
    return answer;
  }

  const effect: Operator<EffectInput> = send;
  const large: Operator = () => ({ text: LARGE_RESULT });
  const fails: Operator = () => {
    throw new Error("out of stock");
  };
  const obedient: Operator = async (_input, { signal }) => {
    if (!signal.aborted) await once(signal, "abort");
    failpoint.pass("before", ["C25"]);
    setImmediate(() => failpoint.pass("after", ["C25"]));
    signal.throwIfAborted();
  };
  return { effect, large, fails, obedient };
}

/** Nothing else of the process goes on meanwhile: not its heartbeat, and not its timers. */
function stallIfTold(answer: Json): void {
  const ms = isJsonObject(answer) ? answer["stallMs"] : undefined;
  if (typeof ms === "number") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function answered(call: ReturnType<typeof request>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once("response", resolve);
    call.once("error", reject);
  });
}
