import type { MessagePort } from "node:worker_threads";
import type { PortableError } from "../../model/portable-error.ts";

/** Parts of a ledger that have methods of their own. */
export type Part = "waits" | "claims" | "events" | "tasks" | "retention" | "shares" | "routes";

/** A method of the ledger, or of one of its parts. */
export interface Call {
  readonly id: number;
  readonly part: Part | null;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type FromThread =
  | { readonly type: "opened"; readonly lanes: number; readonly isShared: boolean }
  | { readonly type: "refused"; readonly error: PortableError }
  | { readonly type: "answer"; readonly id: number; readonly value: never }
  | { readonly type: "failure"; readonly id: number; readonly error: PortableError };

/** What a thread is told first. */
export interface ThreadPlace {
  readonly port: MessagePort;
  readonly file: string;
}
