import type { RunExplanation } from "../engine/explain/explanation.ts";
import type { Ledger } from "../ledger/port.ts";
import { openLedger, withoutPassword } from "../ledger/url.ts";
import { Stepwell } from "../main/stepwell.ts";
import { StepwellError } from "../model/errors.ts";
import { isTerminalRun } from "../model/status.ts";
import { DEFAULT_LEDGER } from "./command.ts";
import { EventFeed } from "./event-feed.ts";
import { EXIT, type ExitCode, exitCodeOfRun } from "./exit-codes.ts";
import { type Ending, followRun } from "./follow-run.ts";
import { quoted } from "./go-on.ts";
import { ownSteps } from "./inside-blocks.ts";
import { dateAndTime, plural } from "./layout.ts";
import { ledgerExists, openExistingLedger, TENANT } from "./open-ledger.ts";
import { type PreparedRun, prepareRun, type RunSource } from "./prepare-run.ts";
import { type Progress, quietProgress, showProgress } from "./progress.ts";
import { problemLines } from "./report-error.ts";
import { resumeHints } from "./resume-hints.ts";
import { COUNTED_RUNS, type LedgerStanding, lookAtLedger } from "./run-plan.ts";
import { readResult, reportResult, resultJson, type StoredResult, viewsOf } from "./run-report.ts";
import { progressText, type StepView } from "./step-rows.ts";
import type { Terminal } from "./terminal.ts";

export interface RunRequest extends RunSource {
  readonly ledger: string;
  /** Idempotency key. */
  readonly key?: string;
  /** Follow the newest unfinished run of this workflow instead of starting one, when there is one. */
  readonly resume?: boolean;
  readonly json?: boolean;
  /** The command that goes on with the run, as a person would type it. */
  readonly goOnWith: string;
}

/**
 * Starts a run, or takes one up, and follows it until it ends or the process is told to stop. Reports what it does and how it ends.
 *
 * @throws StepwellError what opening the ledger or starting the run raises
 */
export async function runWorkflow(request: RunRequest, terminal: Terminal): Promise<ExitCode> {
  const prepared = await prepareRun(request, terminal.err);
  if (prepared === undefined) return EXIT.usage;
  if (request.resume !== true || !ledgerExists(request.ledger)) refuseWrongInput(prepared);
  const ledger = await openLedger(request.ledger);
  let standing: LedgerStanding;
  try {
    standing = await lookAtLedger(ledger, prepared.workflow, prepared.definition, { key: request.key, resume: request.resume === true });
    if (standing.earlier === undefined) refuseWrongInput(prepared);
    else if (goesOn(request, standing)) await releaseRun(ledger, standing.earlier.publicId);
  } catch (error) {
    await ledger.close();
    throw error;
  }
  return new RunCommand(request, terminal, prepared, ledger, standing).execute();
}

/** A person asks for this very run to go on. */
function goesOn({ resume, key }: RunRequest, { earlier }: LedgerStanding): boolean {
  return resume === true && key === undefined && earlier !== undefined && !isTerminalRun(earlier.status);
}

async function releaseRun(ledger: Ledger, publicId: string): Promise<void> {
  await ledger.accept({ tenant: TENANT, publicId, kind: "resume", payload: null, actor: "cli" });
}

function refuseWrongInput({ input }: PreparedRun): void {
  if (input instanceof StepwellError) throw input;
}

class RunCommand {
  readonly #request: RunRequest;
  readonly #terminal: Terminal;
  readonly #prepared: PreparedRun;
  readonly #ledger: Ledger;
  readonly #standing: LedgerStanding;
  readonly #stepwell: Stepwell;
  readonly #feed = new EventFeed();
  #stopped: Promise<void> | undefined;

  constructor(request: RunRequest, terminal: Terminal, prepared: PreparedRun, ledger: Ledger, standing: LedgerStanding) {
    const { operators } = prepared;
    this.#request = request;
    this.#terminal = terminal;
    this.#prepared = prepared;
    this.#ledger = ledger;
    this.#standing = standing;
    this.#stepwell = new Stepwell({
      ledger,
      ...(operators !== undefined && { operators: Object.fromEntries(operators.operators), operatorModule: operators.moduleUrl }),
    });
    this.#stepwell.listen(this.#feed.listener);
  }

  async execute(): Promise<ExitCode> {
    await this.#stepwell.open();
    try {
      const runId = await this.#begin();
      const progress = await this.#progressOf(runId);
      this.#tellStanding(progress);
      const ending = await this.#follow(runId, progress);
      return await this.#conclude(runId, ending);
    } finally {
      await this.#stop();
    }
  }

  #stop(): Promise<void> {
    this.#stopped ??= this.#stepwell.stop();
    return this.#stopped;
  }

  /** The run that is followed from here on: the earlier one, or a new one that is durable now. */
  async #begin(): Promise<string> {
    const { earlier } = this.#standing;
    const { workflow, definition, input } = this.#prepared;
    const { key } = this.#request;
    const isResumed = earlier !== undefined && earlier.idempotencyKey !== key;
    if (earlier !== undefined && (isResumed || key === undefined)) return earlier.publicId;
    await this.#stepwell.register(definition);
    return this.#stepwell.start(workflow, input, { initiator: "cli", ...(key !== undefined && { idempotencyKey: key }) });
  }

  async #progressOf(runId: string): Promise<Progress> {
    if (this.#request.json === true) return quietProgress(this.#terminal.err);
    const title = `${this.#prepared.workflow}  ${runId}`;
    if (!this.#terminal.out.isScreen) this.#terminal.out.line(title);
    return showProgress(this.#terminal, { title, startedAt: Date.now(), steps: await this.#firstViews(runId) });
  }

  /** All that happens to a new run is told from its first event on; of an earlier one a screen shows what its steps wait for already. */
  async #firstViews(runId: string): Promise<readonly StepView[]> {
    const isNew = this.#standing.earlier === undefined;
    if (isNew || !this.#terminal.out.isScreen) return viewsOf({ steps: await this.#ledger.listSteps(TENANT, runId) });
    const stored = await readResult(this.#ledger, runId);
    return stored === undefined ? [] : viewsOf(stored);
  }

  #tellStanding(progress: Progress): void {
    const { earlier, isOtherDefinition, others } = this.#standing;
    const { err } = this.#terminal;
    for (const warning of this.#prepared.warnings) for (const line of problemLines(warning, err.paint)) progress.say(line);
    if (earlier !== undefined) {
      const how = this.#request.key === earlier.idempotencyKey ? `The key "${this.#request.key}" started` : "Going on with";
      const state = isTerminalRun(earlier.status) ? `; it has ended ${earlier.status}` : "";
      progress.say(`${how} run ${earlier.publicId} at ${dateAndTime(earlier.createdAt)}${state}`);
      if (isOtherDefinition) progress.say("The file has changed since; the run keeps the definition that it started with");
    }
    if (others > 0 && !this.#ledger.isShared) {
      const count =
        others > COUNTED_RUNS ? `more than ${plural(COUNTED_RUNS, "other unfinished run")}` : plural(others, "other unfinished run");
      progress.say(`This ledger has ${count}; while this command runs, ${others === 1 ? "it goes" : "they go"} on as well`);
    }
  }

  async #follow(runId: string, progress: Progress): Promise<Ending> {
    try {
      const ending = await followRun(this.#stepwell, this.#ledger, runId, this.#feed, progress);
      if (ending.kind === "interrupted") {
        progress.say("Stopping: running steps may end (again to stop at once)");
        await this.#stop();
      }
      return ending;
    } finally {
      progress.end();
    }
  }

  async #conclude(runId: string, ending: Ending): Promise<ExitCode> {
    const stored = await this.#finalState(runId, ending);
    if (stored !== undefined && this.#request.json === true) this.#terminal.out.line(resultJson(stored));
    else if (stored !== undefined) await reportResult(this.#terminal, stored);
    if (ending.kind === "ended" || (stored !== undefined && isTerminalRun(stored.run.status))) {
      return stored === undefined ? EXIT.failed : exitCodeOfRun(stored.run.status);
    }
    const { err } = this.#terminal;
    if (ending.kind === "held") {
      if (stored !== undefined) for (const line of await this.#whatResumes(stored.explanation)) err.line(line);
      return EXIT.suspended;
    }
    if (stored === undefined) err.line("Stopped. The ledger was in memory, so the run is gone.");
    else
      err.line(
        `Stopped with ${progressText(ownSteps(viewsOf(stored)))}; what is done stays done. Go on with:\n  ${this.#request.goOnWith}`,
      );
    return EXIT[ending.signal];
  }

  /** Whom the run waits for, and which command would let it go on. */
  async #whatResumes(explanation: RunExplanation): Promise<readonly string[]> {
    const { ledger, goOnWith } = this.#request;
    const ledgerFlag = ledger === DEFAULT_LEDGER ? "" : ` --ledger ${quoted(withoutPassword(ledger))}`;
    const hints = await resumeHints(this.#ledger, explanation, { ledgerFlag, columns: this.#terminal.size().columns });
    if (!ledgerExists(ledger)) return ["The run waits for somebody outside; the ledger was in memory, so the run is gone:", ...hints];
    return ["The run waits for somebody outside:", ...hints, "Then go on with:", `  ${goOnWith}`];
  }

  /** After an interrupt the ledger is closed, and what was running may have ended the run all the same. */
  async #finalState(runId: string, ending: Ending): Promise<StoredResult | undefined> {
    if (ending.kind !== "interrupted") return readResult(this.#ledger, runId);
    if (!ledgerExists(this.#request.ledger)) return undefined;
    await using ledger = await openExistingLedger(this.#request.ledger);
    return await readResult(ledger, runId);
  }
}
