import { enqueueOver } from "../engine/enqueue-over.ts";
import { OperatorRegistry } from "../engine/operators.ts";
import { isSharedLedger, ledgerFile, openLedger } from "../ledger/url.ts";
import { asStepwellError, StepwellError } from "../model/errors.ts";
import type { AnnouncedRun } from "../queue/port.ts";
import { checkQueueUrl, openQueue } from "../queue/url.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { catalogWith } from "./load-definition.ts";
import { TENANT } from "./open-ledger.ts";
import { prepareRun, type RunSource } from "./prepare-run.ts";
import { errorLine } from "./step-rows.ts";
import type { Output, Terminal } from "./terminal.ts";
import { whoActs } from "./who-acts.ts";

export interface LeaveRequest extends RunSource {
  readonly ledger: string;
  readonly queue: string;
  /** Idempotency key. */
  readonly key?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/**
 * Puts a run into the ledger, where it waits for an engine, and prints its id.
 *
 * @throws StepwellError `USAGE`, what is wrong with the input, and what opening the ledger and storing the run raise
 */
export async function leaveRun(request: LeaveRequest, { out, err }: Terminal): Promise<ExitCode> {
  const { ledger: url, queue, key, resume, json } = request;
  if (resume === true) throw new StepwellError("USAGE", "--detach starts a run; an unfinished one goes on by itself, with the next engine");
  if (!isSharedLedger(url) && ledgerFile(url) === undefined)
    throw new StepwellError("USAGE", "A run in memory would end with this command");
  checkQueueUrl(queue);
  const prepared = await prepareRun(request, err);
  if (prepared === undefined) return EXIT.usage;
  const { workflow, definition, operators, input } = prepared;
  if (input instanceof StepwellError) throw input;
  const registry = new OperatorRegistry();
  for (const [name, operator] of operators?.operators ?? [])
    registry.register(name, operator, { url: operators?.moduleUrl ?? "", exportName: name });
  const ledger = await openLedger(url);
  try {
    const run = await enqueueOver(ledger, {
      tenant: TENANT,
      definition,
      catalog: catalogWith(operators),
      operators: registry,
      input,
      idempotencyKey: key,
      initiator: "cli",
      environment: "production",
    });
    const { publicId, created } = run;
    if (created) await announce(run, queue, err);
    if (json === true) out.line(JSON.stringify({ id: publicId, workflow, created }, null, 2));
    else out.line(`${publicId} ${created ? `is queued; ${await whoActs(url, "starts it")}` : "was started before under this key"}`);
    return EXIT.succeeded;
  } finally {
    await ledger.close();
  }
}

/** Wakes an engine for a run. It is stored: that nobody can be woken is said, and costs it some seconds. */
async function announce(run: AnnouncedRun, url: string, err: Output): Promise<void> {
  try {
    const queue = await openQueue(url);
    queue.announce(run);
    await queue.close();
  } catch (error) {
    err.line(`warning ${errorLine(asStepwellError(error))}`);
  }
}
