import type { HttpClient } from "./http/execute.ts";
import type { Operator } from "./operator.ts";

/** The built-in operators of one engine, which closes them when it stops. */
export interface BuiltInExecutors {
  /** By name; an operator's code is loaded on first use: the HTTP client alone would double the start of a run that sends nothing. */
  readonly operators: ReadonlyMap<string, () => Promise<Operator>>;
  /** Lets running requests end and closes their connections; an operator that is used afterwards fails. */
  close(): Promise<void>;
}

export function createBuiltInExecutors(): BuiltInExecutors {
  let client: Promise<HttpClient> | undefined;
  const operators = new Map<string, () => Promise<Operator>>([
    ["transform", async () => (await import("./transform/execute.ts")).transform],
    ["log", async () => (await import("./log/execute.ts")).log],
    ["sleep", async () => (await import("./sleep/execute.ts")).sleep],
    ["wait", async () => (await import("./wait/execute.ts")).wait],
    ["approval", async () => (await import("./approval/execute.ts")).approval],
    ["task", async () => (await import("./task/execute.ts")).task],
    ["workflow", async () => (await import("./workflow/execute.ts")).workflow],
    [
      "http",
      async () => {
        client ??= import("./http/execute.ts").then(({ createHttpClient }) => createHttpClient());
        return (await client).operator;
      },
    ],
  ]);
  return {
    operators,
    close: async () => (await client)?.close(),
  };
}
