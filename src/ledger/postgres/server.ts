import type { Client } from "pg";
import { StepwellError } from "../../model/errors.ts";
import type { RawRow } from "../sql/fields.ts";

const OLDEST_SERVER = 140_000;
const SETTINGS = `SELECT current_setting('server_version_num')::bigint AS number, current_setting('server_version') AS version,
  current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
  current_setting('synchronous_commit') AS synchronous_commit, pg_is_in_recovery() AS is_replica`;

/** What must hold of a server that keeps a ledger. */
export interface ServerFacts {
  readonly version: string;
  readonly isTooOld: boolean;
  readonly isReplica: boolean;
  /** Settings on which durability depends, as they are on a connection of the ledger: `on` or `off`. */
  readonly durability: Readonly<Record<"fsync" | "full_page_writes" | "synchronous_commit", string>>;
}

export async function readServer(client: Client): Promise<ServerFacts> {
  const [found = {}] = (await client.query<RawRow>(SETTINGS)).rows;
  const setting = (name: string): string => String(found[name]);
  return {
    version: setting("version"),
    isTooOld: Number(found["number"]) < OLDEST_SERVER,
    isReplica: found["is_replica"] === true,
    durability: {
      fsync: setting("fsync"),
      full_page_writes: setting("full_page_writes"),
      synchronous_commit: setting("synchronous_commit"),
    },
  };
}

/** @throws StepwellError `LEDGER_UNAVAILABLE` for a server that is too old, a replica, or one that could lose what it confirmed */
export function requireServer({ version, isTooOld, isReplica, durability }: ServerFacts, name: string): void {
  const refuse = (message: string, hint: string) =>
    new StepwellError("LEDGER_UNAVAILABLE", `${name} ${message}`, { hint, data: { ledger: name } });
  if (isTooOld) throw refuse(`is PostgreSQL ${version}; Stepwell needs 14 or later`, "Upgrade the server.");
  if (isReplica) throw refuse("is a replica, which takes no writes", "Use the primary server.");
  for (const [setting, value] of Object.entries(durability)) {
    if (value === "off")
      throw refuse(`could lose what it confirmed: ${setting} is off`, `Set ${setting} = on in the server's configuration.`);
  }
}
