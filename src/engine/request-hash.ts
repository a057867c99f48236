import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "../model/json.ts";

/** Tells whether two starts under one idempotency key ask for the same. */
export function requestHash(workflow: string, input: Json): string {
  return createHash("sha256").update(canonicalJson({ workflow, input })).digest("hex");
}
