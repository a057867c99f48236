import type { MessagePort } from "node:worker_threads";
import { isJsonObject, type Json } from "../../model/json.ts";
import type { PortableError } from "../../model/portable-error.ts";
import type { Logger, OperatorContext } from "../operator.ts";
import type { SuspendRequest } from "../suspension.ts";

/** What one call needs in the thread: everything that can cross as data, and the port for what cannot. */
export interface ThreadCall {
  readonly moduleUrl: string;
  readonly exportName: string;
  readonly input: Json;
  readonly context: Omit<OperatorContext, "signal" | "log" | "suspend" | "transaction">;
  /** Carries `FromThread` out and a `PortableError`, the reason of an abort, in. */
  readonly port: MessagePort;
}

export type FromThread =
  | { readonly type: "started" }
  | {
      readonly type: "log";
      readonly level: keyof Logger;
      readonly message: string;
      readonly fields: Readonly<Record<string, Json>> | undefined;
    };

export function isFromThread(message: unknown): message is FromThread {
  return isJsonObject(message) && (message["type"] === "started" || message["type"] === "log");
}

/** How a call ended inside a thread that lived. */
export type ThreadOutcome =
  | { readonly ok: true; readonly output: Json }
  | { readonly ok: true; readonly suspended: SuspendRequest }
  | { readonly ok: false; readonly error: PortableError };
