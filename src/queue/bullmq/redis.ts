import type { Redis, RedisOptions } from "ioredis";
import { StepwellError } from "../../model/errors.ts";
import type { Drivers } from "./drivers.ts";
import type { RedisPlace } from "./place.ts";

/** What BullMQ's scripts are written for. */
const OLDEST_SERVER = [6, 2] as const;
const CONNECT_MS = 5_000;
/** What is sent and not answered within this is taken for lost with its connection: no firewall tells when it has forgotten one. */
const ANSWER_MS = 5_000;
/** The same where the server may let somebody wait: BullMQ asks it to wait for ten seconds at most. */
const BLOCKED_MS = 12_000;
const LONGEST_PAUSE_MS = 2_000;

const OPTIONS: RedisOptions = {
  connectTimeout: CONNECT_MS,
  keepAlive: 10_000,
  // as BullMQ demands: what it asks for waits until the connection is there again
  maxRetriesPerRequest: null,
  retryStrategy: (times) => Math.min(times * 100, LONGEST_PAUSE_MS),
  // after a failover: the server that was there is a replica now
  reconnectOnError: (error) => error.message.startsWith("READONLY"),
};

/** For what is sent now or never. */
export function clientForWords({ Redis: Client }: Drivers, { url }: RedisPlace): Redis {
  return new Client(url, { ...OPTIONS, socketTimeout: ANSWER_MS, enableOfflineQueue: false });
}

/** For BullMQ's worker, which waits at the server. */
export function clientForWorker({ Redis: Client }: Drivers, { url }: RedisPlace): Redis {
  return new Client(url, { ...OPTIONS, socketTimeout: BLOCKED_MS });
}

/**
 * Looks whether jobs can be kept on a server, once its client is ready.
 *
 * @returns what is not as it should be
 * @throws StepwellError `QUEUE_UNSUPPORTED`, `QUEUE_UNREACHABLE`
 */
export async function inspectServer(client: Redis, place: RedisPlace): Promise<StepwellError | undefined> {
  const facts = await factsOf(client, place);
  const version = facts.get("redis_version");
  // a user who may not ask is trusted
  if (version !== undefined && isTooOld(version))
    throw new StepwellError("QUEUE_UNSUPPORTED", `${place.name} is Redis ${version}; the queue needs ${OLDEST_SERVER.join(".")} or later`, {
      hint: "Upgrade the server, or leave out the queue: the ledger does without one.",
    });
  const policy = facts.get("maxmemory_policy");
  if (policy === undefined || policy === "noeviction") return undefined;
  // a warning is enough: what is evicted is found by looking, a few seconds later
  return new StepwellError("QUEUE_EVICTS", `${place.name} throws keys away when its memory is full (${policy}), and jobs with them`, {
    hint: "Set maxmemory-policy noeviction; until then runs whose jobs are thrown away begin some seconds later.",
  });
}

async function factsOf(client: Redis, place: RedisPlace): Promise<ReadonlyMap<string, string>> {
  let answer: string;
  try {
    answer = await client.info();
  } catch (cause) {
    if (cause instanceof Error && cause.message.startsWith("NOPERM")) return new Map();
    throw unreachable(cause, place);
  }
  return new Map(answer.split(/\r?\n/).flatMap((line) => (line.includes(":") ? [pairOf(line)] : [])));
}

function pairOf(line: string): readonly [string, string] {
  const at = line.indexOf(":");
  return [line.slice(0, at), line.slice(at + 1)];
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor, leastMinor] = OLDEST_SERVER;
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}

/** What a client says of its connection, coded. Its messages hold addresses, and no passwords. */
export function unreachable(cause: unknown, { name }: RedisPlace): StepwellError {
  if (cause instanceof StepwellError) return cause;
  return new StepwellError("QUEUE_UNREACHABLE", `${name}: ${cause instanceof Error ? textOf(cause) : "the connection was lost"}`, {
    hint: "Check that Redis runs, its address, port, user and password; no run is lost without it.",
    cause,
  });
}

/** An attempt at several addresses is one error that says nothing itself. */
function textOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((each) => (each instanceof Error ? each.message : "")).join("; ");
  return error.message;
}
