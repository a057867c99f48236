import type { Enqueued, Ledger } from "../ledger/port.ts";
import { DEFAULT_GROUP } from "../model/admission.ts";
import type { Json } from "../model/json.ts";
import type { OperatorCatalog } from "../operators/definition.ts";
import type { AnnouncedRun } from "../queue/port.ts";
import type { Definition } from "../workflow/graph.ts";
import { compileDefinition } from "../workflow/index.ts";
import { Catalog } from "./catalog.ts";
import { payloadText } from "./finish-output.ts";
import type { OperatorRegistry } from "./operators.ts";
import { newPublicId } from "./public-id.ts";
import { requestHash } from "./request-hash.ts";

export interface Enqueueing {
  readonly tenant: string;
  readonly definition: Definition;
  /** What the validator knows of the operators. */
  readonly catalog: OperatorCatalog;
  /** The operators that this process knows of; none of them is called here. */
  readonly operators: OperatorRegistry;
  /** Checked against the definition's schema already. */
  readonly input: Json;
  readonly idempotencyKey: string | undefined;
  readonly initiator: string;
  readonly environment: string;
}

/**
 * Puts a run into a ledger without driving it: an engine that is at work there takes it up, or the next one.
 *
 * @throws StepwellError `DEFINITION_INVALID`, `IDEMPOTENCY_KEY_REUSED`, `VALUE_TOO_LARGE`
 */
export async function enqueueOver(ledger: Ledger, request: Enqueueing): Promise<Enqueued & AnnouncedRun> {
  const { tenant, definition, catalog, operators, input, idempotencyKey, initiator, environment } = request;
  const { plan } = await new Catalog(ledger, compileDefinition).register(tenant, definition, catalog, operators);
  const { labels, name } = plan.graph;
  const { versionId } = plan;
  const enqueued = await ledger.enqueueRun({
    publicId: newPublicId(await ledger.waits.now()),
    tenant,
    versionId,
    input: payloadText(input, "the input"),
    labels: Object.keys(labels).length === 0 ? null : JSON.stringify(labels),
    initiator,
    trigger: "call",
    environment,
    idempotencyKey: idempotencyKey ?? null,
    idempotencyHash: idempotencyKey === undefined ? null : requestHash(name, input),
    deadlineInMs: null,
    workerGroup: DEFAULT_GROUP,
    admission: null,
  });
  return { ...enqueued, tenant, versionId, workerGroup: DEFAULT_GROUP };
}
