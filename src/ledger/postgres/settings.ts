import { StepwellError } from "../../model/errors.ts";

/** Where a ledger is: a database and a schema in it. */
export interface PostgresPlace {
  /** What the driver is given. */
  readonly connectionString: string;
  readonly schema: string;
  /** For people and logs: without the password. */
  readonly name: string;
}

const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * Reads `postgres://user:password@host:port/database?schema=stepwell`. What else the query holds goes to the driver.
 *
 * @throws StepwellError `USAGE`
 */
export function placeOf(url: string): PostgresPlace {
  if (!URL.canParse(url)) throw badUrl("The ledger's URL cannot be read");
  const parsed = new URL(url);
  const schema = parsed.searchParams.get("schema") ?? "stepwell";
  if (!SCHEMA.test(schema)) throw badUrl(`"${schema}" cannot be the name of the ledger's schema`);
  if (parsed.pathname.length < 2) throw badUrl("The ledger's URL names no database");
  parsed.searchParams.delete("schema");
  const name = `postgres://${parsed.host}${parsed.pathname}${schema === "stepwell" ? "" : `?schema=${schema}`}`;
  return { connectionString: parsed.href, schema, name };
}

function badUrl(message: string): StepwellError {
  return new StepwellError("USAGE", message, {
    hint: "Write postgres://user:password@host:5432/database, with ?schema=name for another schema than stepwell.",
  });
}
