import { StepwellError } from "../../model/errors.ts";

/** Where the jobs are: a Redis and the prefix of its keys. */
export interface RedisPlace {
  /** What the client is given. */
  readonly url: string;
  readonly prefix: string;
  /** For people and logs: without user and password. */
  readonly name: string;
}

/** BullMQ writes `prefix:queue:key`, and takes the names apart at the colons. */
const PREFIX = /^[\w.-]{1,64}$/;

/**
 * Reads `redis://user:password@host:6379/0?prefix=stepwell`; `rediss:` speaks TLS. Several ledgers on one Redis have a prefix each.
 *
 * @throws StepwellError `USAGE` whose message has nothing of the URL
 */
export function redisPlaceOf(url: string): RedisPlace {
  const parsed = URL.parse(url);
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol)) throw badUrl("The queue's URL cannot be read");
  if (parsed.hostname === "") throw badUrl("The queue's URL names no host");
  if (!/^\/?\d*$/.test(parsed.pathname)) throw badUrl("A Redis has numbered databases: the path of the queue's URL is a number");
  const { searchParams } = parsed;
  const prefix = searchParams.get("prefix") ?? "stepwell";
  if (!PREFIX.test(prefix)) throw badUrl("The prefix of the queue's URL has letters, digits, and the signs . _ -");
  if ([...searchParams.keys()].some((key) => key !== "prefix")) throw badUrl("The query of the queue's URL may hold a prefix alone");
  parsed.search = "";
  const name = `${parsed.protocol}//${parsed.host}${parsed.pathname}${prefix === "stepwell" ? "" : `?prefix=${prefix}`}`;
  return { url: parsed.href, prefix, name };
}

function badUrl(message: string): StepwellError {
  return new StepwellError("USAGE", message, {
    hint: "Write redis://user:password@host:6379/0, rediss:// for TLS, with ?prefix=name for other keys than those of stepwell.",
  });
}
