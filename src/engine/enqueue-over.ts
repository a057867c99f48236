import type { Enqueued, Ledger } from "../ledger/port.ts";
import type { Json } from "../model/json.ts";
import type { OperatorCatalog } from "../operators/definition.ts";
import type { AnnouncedRun } from "../queue/port.ts";
import type { Definition } from "../workflow/graph.ts";
import { compileDefinition } from "../workflow/index.ts";
import { refuseKeyOfGathered } from "./admission/admission-of.ts";
import { admissionText, placeRun } from "./admission/place-run.ts";
import { Catalog } from "./catalog.ts";
import { payloadText } from "./finish-output.ts";
import type { OperatorRegistry } from "./operators.ts";
import { Placement } from "./placement.ts";
import { newPublicId } from "./public-id.ts";
import { requestHash } from "./request-hash.ts";
import { systemClock } from "./system-clock.ts";

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
 * @throws StepwellError `DEFINITION_INVALID`, `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_KEY_REFUSED`, `FLOW_KEY_INVALID`, `VALUE_TOO_LARGE`
 */
export async function enqueueOver(ledger: Ledger, request: Enqueueing): Promise<Enqueued & AnnouncedRun> {
  const { tenant, definition, catalog, operators, input, idempotencyKey, initiator, environment } = request;
  const { plan } = await new Catalog(ledger, compileDefinition).register(tenant, definition, catalog, operators);
  const { versionId, graph } = plan;
  const { labels, name } = graph;
  refuseKeyOfGathered(graph, idempotencyKey);
  const now = await ledger.waits.now();
  const publicId = newPublicId(now);
  const placement = new Placement(ledger, systemClock, operators, undefined);
  const { workerGroup, admission } = await placeRun(placement, graph, { tenant, input, evaluation: { nowMs: now, seed: publicId } });
  const enqueued = await ledger.enqueueRun({
    publicId,
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
    workerGroup,
    admission: admissionText(admission),
  });
  return { ...enqueued, tenant, versionId, workerGroup };
}
