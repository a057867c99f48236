import type { Ledger, RunQuery } from "../ledger/port.ts";
import type { RunPageResult, RunResult } from "./api.ts";
import type { RunExplanation } from "./explain/explanation.ts";
import { readExplanation } from "./explain/read-explanation.ts";
import { resultOf, summaryOf } from "./run-results.ts";

/** How runs stand, as the ledger has them. */
export class RunReads {
  readonly #ledger: Ledger;
  readonly #tenant: string;

  constructor(ledger: Ledger, tenant: string) {
    this.#ledger = ledger;
    this.#tenant = tenant;
  }

  /** A run with all its steps; undefined when there is none. */
  async get(publicId: string): Promise<RunResult | undefined> {
    const row = await this.#ledger.getRun(this.#tenant, publicId);
    return row === undefined ? undefined : resultOf(row, await this.#ledger.listSteps(this.#tenant, publicId));
  }

  async list(query: Omit<RunQuery, "tenant">): Promise<RunPageResult> {
    const page = await this.#ledger.listRuns({ ...query, tenant: this.#tenant });
    return { runs: page.runs.map((row) => summaryOf(row)), next: page.next };
  }

  /**
   * What each unfinished step of a run waits for.
   *
   * @throws StepwellError `RUN_NOT_FOUND`
   */
  explain(publicId: string): Promise<RunExplanation> {
    return readExplanation(this.#ledger, this.#tenant, publicId);
  }
}
