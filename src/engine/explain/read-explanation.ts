import type { Ledger } from "../../ledger/port.ts";
import type { RunRow, TaskRow, WaitRow } from "../../ledger/rows.ts";
import { StepwellError } from "../../model/errors.ts";
import { isJsonObject, parseJson } from "../../model/json.ts";
import { isTerminalRun } from "../../model/status.ts";
import { compileDefinition } from "../../workflow/index.ts";
import { restorePlan } from "../plan.ts";
import { EXPLAINED_STEPS, explainEnd, explainRun } from "./explain-run.ts";
import type { RunExplanation } from "./explanation.ts";

/**
 * Reads a run and says what each of its unfinished steps waits for.
 *
 * @throws StepwellError `RUN_NOT_FOUND`
 */
export async function readExplanation(ledger: Ledger, tenant: string, publicId: string): Promise<RunExplanation> {
  const found = await ledger.getRun(tenant, publicId);
  if (found !== undefined && isTerminalRun(found.status)) return explainEnd(found);
  const [stored, version] = found === undefined ? [] : await Promise.all([ledger.loadRun(found.id), ledger.getVersion(found.versionId)]);
  if (stored === undefined || version === undefined) throw new StepwellError("RUN_NOT_FOUND", `there is no run ${publicId}`);
  const definition = parseJson(version.definition);
  const { graph } = await restorePlan(version.id, isJsonObject(definition) ? definition : {}, compileDefinition);
  const waits = stored.waits.slice(0, EXPLAINED_STEPS);
  return explainRun({
    ...stored,
    graph,
    tasks: await byKey<TaskRow>(waits, "task", (key) => ledger.tasks.get(tenant, key)),
    children: await byKey<RunRow>(waits, "child", (key) => ledger.getRun(tenant, key)),
    turn: await ledger.waits.turnOf(tenant, publicId),
    now: await ledger.waits.now(),
  });
}

async function byKey<Row>(
  waits: readonly WaitRow[],
  kind: WaitRow["kind"],
  read: (key: string) => Promise<Row | undefined>,
): Promise<ReadonlyMap<string, Row>> {
  const rows = new Map<string, Row>();
  for (const { kind: of, key } of waits) {
    if (of !== kind || key === null) continue;
    const row = await read(key);
    if (row !== undefined) rows.set(key, row);
  }
  return rows;
}
