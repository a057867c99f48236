import { Ajv, type JSONSchemaType } from "ajv";
import { StepwellError } from "../../model/errors.ts";
import type { AnnouncedRun } from "../port.ts";

export const QUEUE_NAME = "workflow_runs";
export const JOB_NAME = "workflow_run";
const SHOWN_CHARACTERS = 80;

/** What a job says (requirement S3-11). */
export interface JobPayload {
  readonly workflowRunId: string;
  readonly workflowVersionId: number;
  readonly tenantId: string;
  /** Whose engines the job is for. */
  readonly workerGroup: string;
  /**
   * Always by reference: the run whose input it is. The ledger's copy alone counts, so another one would be read by nobody, grow old when
   * starts are gathered, fill the memory of Redis, and show secrets to whoever can read there.
   */
  readonly input: { readonly ref: string };
}

const name = { type: "string", minLength: 1, maxLength: 200 } as const;
const SCHEMA: JSONSchemaType<JobPayload> = {
  type: "object",
  properties: {
    workflowRunId: name,
    workflowVersionId: { type: "integer", minimum: 1 },
    tenantId: name,
    workerGroup: name,
    input: { type: "object", properties: { ref: name }, required: ["ref"], additionalProperties: false },
  },
  required: ["workflowRunId", "workflowVersionId", "tenantId", "workerGroup", "input"],
  additionalProperties: false,
};
// the first thing that is wrong is enough, and as short as that
const ajv = new Ajv();
const isPayload = ajv.compile(SCHEMA);

export function payloadOf({ publicId, versionId, tenant, workerGroup }: AnnouncedRun): JobPayload {
  return { workflowRunId: publicId, workflowVersionId: versionId, tenantId: tenant, workerGroup, input: { ref: publicId } };
}

/** What a job says, or why it is none of ours. */
export function readJob(job: { readonly name: string; readonly data: unknown }): JobPayload | StepwellError {
  if (job.name !== JOB_NAME) return refused(`the name of a job is ${JOB_NAME}, not ${JSON.stringify(job.name.slice(0, SHOWN_CHARACTERS))}`);
  return isPayload(job.data) ? job.data : refused(ajv.errorsText(isPayload.errors, { dataVar: "job" }));
}

function refused(message: string): StepwellError {
  return new StepwellError("QUEUE_JOB_INVALID", message, { hint: "Only Stepwell puts jobs into its queue." });
}
