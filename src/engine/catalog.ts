import { createHash } from "node:crypto";
import type { Ledger } from "../ledger/port.ts";
import { StepwellError } from "../model/errors.ts";
import { isJsonObject } from "../model/json.ts";
import type { Problem } from "../model/problem.ts";
import type { OperatorCatalog } from "../operators/definition.ts";
import type { Definition, Step } from "../workflow/graph.ts";
import type { Compile } from "../workflow/index.ts";
import type { OperatorRegistry } from "./operators.ts";
import { createPlan, invalidDefinition, type Plan, restorePlan } from "./plan.ts";

/** What `register` gives back. */
export interface Registered {
  readonly plan: Plan;
  readonly warnings: readonly Problem[];
}

/** Versions made ready to run, each compiled once in this process; the ledger holds their definitions. */
export class Catalog {
  readonly #ledger: Ledger;
  readonly #compile: Compile;
  readonly #byVersion = new Map<number, Promise<Plan>>();
  readonly #newest = new Map<string, Plan>();

  constructor(ledger: Ledger, compile: Compile) {
    this.#ledger = ledger;
    this.#compile = compile;
  }

  /**
   * Validates a definition and stores it as a version, unless the same content is stored already.
   *
   * @throws StepwellError `DEFINITION_INVALID` with every problem
   */
  async register(tenant: string, definition: Definition, catalog: OperatorCatalog, operators: OperatorRegistry): Promise<Registered> {
    const { graph, problems: found } = await this.#compile(definition, { operators: catalog });
    const problems = [...found, ...threadProblems(graph?.steps ?? [], operators)];
    const isInvalid = problems.some((problem) => problem.severity === "error");
    if (graph === undefined || isInvalid) throw invalidDefinition(problems);
    // not canonical: the order of the steps is their ordinals, and these must be the same after a restart
    const text = JSON.stringify(definition);
    const row = await this.#ledger.putVersion({
      tenant,
      workflow: graph.name,
      version: graph.version,
      hash: createHash("sha256").update(text).digest("hex"),
      definition: text,
      steps: graph.steps.map(({ ordinal, id, uses, block }) => ({ ordinal, path: id, uses: uses ?? block?.kind ?? "switch" })),
    });
    const plan = createPlan(row.id, graph);
    this.#byVersion.set(row.id, Promise.resolve(plan));
    this.#newest.set(`${tenant}/${graph.name}`, plan);
    return { plan, warnings: problems };
  }

  /** The newest version of a workflow, if it is ready in this process. */
  ready(tenant: string, workflow: string): Plan | undefined {
    return this.#newest.get(`${tenant}/${workflow}`);
  }

  /**
   * The newest version of a workflow, from the ledger when this process did not register it.
   *
   * @throws StepwellError `WORKFLOW_NOT_FOUND`
   */
  async newest(tenant: string, workflow: string): Promise<Plan> {
    const row = await this.#ledger.latestVersion(tenant, workflow);
    if (row === undefined) {
      throw new StepwellError("WORKFLOW_NOT_FOUND", `no workflow "${workflow}" is registered`, {
        hint: "Register its definition first; names are case-sensitive.",
      });
    }
    const plan = await this.#restore(row.id, row.definition);
    this.#newest.set(`${tenant}/${workflow}`, plan);
    return plan;
  }

  /**
   * A version of a workflow by its label, or the newest one.
   *
   * @throws StepwellError `WORKFLOW_NOT_FOUND`
   */
  async ofName(tenant: string, workflow: string, version: string | undefined): Promise<Plan> {
    if (version === undefined) return this.ready(tenant, workflow) ?? this.newest(tenant, workflow);
    const row = await this.#ledger.latestVersion(tenant, workflow, version);
    if (row === undefined) throw new StepwellError("WORKFLOW_NOT_FOUND", `no version "${version}" of workflow "${workflow}" is registered`);
    return this.#restore(row.id, row.definition);
  }

  /** The plan of a version, as the ledger holds it. */
  async ofVersion(versionId: number): Promise<Plan> {
    const known = this.#byVersion.get(versionId);
    if (known !== undefined) return known;
    const row = await this.#ledger.getVersion(versionId);
    if (row === undefined) throw new StepwellError("WORKFLOW_NOT_FOUND", `the ledger has no version ${versionId}`);
    return this.#restore(versionId, row.definition);
  }

  #restore(versionId: number, text: string): Promise<Plan> {
    const known = this.#byVersion.get(versionId);
    if (known !== undefined) return known;
    const definition: unknown = JSON.parse(text);
    const plan = isJsonObject(definition)
      ? restorePlan(versionId, definition, this.#compile)
      : Promise.reject(new StepwellError("LEDGER_CORRUPT", `the definition of version ${versionId} is not an object`));
    this.#byVersion.set(versionId, plan);
    plan.catch(() => this.#byVersion.delete(versionId));
    return plan;
  }
}

/** Steps that are to run in a worker thread but whose operator no thread can find. */
function threadProblems(steps: readonly Step[], operators: OperatorRegistry): readonly Problem[] {
  return steps.flatMap(({ id, uses, isolation }) => {
    const operator = operators.get(uses ?? "");
    if (isolation !== "thread" || operator === undefined || operator.module !== null) return [];
    const message = `step "${id}" cannot run in a thread: ${uses} is not an export of a module`;
    const hint = "Export the function from a module and give that module to the engine (`--operators FILE`, `operatorModule`).";
    return [{ code: "FIELD_INVALID", severity: "error", message, hint, path: `steps.${id}.isolation` }];
  });
}
