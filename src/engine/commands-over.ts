import type { Ledger } from "../ledger/port.ts";
import { newPublicId } from "./public-id.ts";
import { RunCommands } from "./run-commands.ts";
import { Schemas } from "./schemas.ts";
import { TaskCommands } from "./task-commands.ts";

export interface CommandsOver {
  readonly runs: RunCommands;
  readonly tasks: TaskCommands;
}

/** The commands of an engine in a process that has none: what they write, the engine that owns the ledger notices, now or later. */
export async function commandsOver(ledger: Ledger, tenant: string): Promise<CommandsOver> {
  const openedAt = await ledger.waits.now();
  const host = {
    ledger,
    tenant,
    schemas: new Schemas(),
    expectOpen: () => undefined,
    newId: () => newPublicId(openedAt),
    deliver: () => Promise.resolve(),
    withdraw: () => undefined,
  };
  return { runs: new RunCommands(host), tasks: new TaskCommands(host) };
}
