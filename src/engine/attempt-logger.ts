import type { Json } from "../model/json.ts";
import type { Logger } from "../operators/operator.ts";
import type { RunRef } from "./api.ts";
import type { Attempt } from "./attempt.ts";
import type { RunHost } from "./run-host.ts";
import { concealIn } from "./secrets.ts";

/** What an operator logs reaches listeners at once, with the run, step and attempt that said it. */
export function attemptLogger(host: RunHost, run: RunRef, from: Attempt): Logger {
  const { stepId: step, attempt } = from;
  const at =
    (level: keyof Logger) =>
    (message: string, fields: Readonly<Record<string, Json>> = {}): void => {
      if (!host.isHeard) return;
      const line = { message, fields };
      const { secrets } = from;
      const shown = secrets.length === 0 ? line : concealIn(line, secrets);
      host.emit({ type: "log", run, step, attempt, level, ...shown });
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
