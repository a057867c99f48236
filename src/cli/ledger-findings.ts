import { existsSync } from "node:fs";
import {
  inspectLedger,
  isSharedLedger,
  type LiveEngine,
  ledgerFile,
  liveEngines,
  openLedger,
  type PostgresInspection,
  type SqliteInspection,
} from "../ledger/url.ts";
import { formatDuration } from "../model/duration.ts";
import { StepwellError } from "../model/errors.ts";
import { oneLine, plural } from "./layout.ts";
import { COUNTED_RUNS } from "./run-plan.ts";

/** One line of what `doctor` found. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
}

/** Looks at a ledger without changing it. */
export async function ledgerFindings(url: string): Promise<readonly Finding[]> {
  try {
    const file = ledgerFile(url);
    if (file === undefined && !isSharedLedger(url)) return [{ what: "Ledger", ok: true, found: "in memory: it ends with its process" }];
    if (file !== undefined && !existsSync(file))
      return [{ what: "Ledger", ok: true, found: `${file} does not exist yet; the first run makes it` }];
    const inspection = await inspectLedger(url, COUNTED_RUNS + 1);
    if (inspection === undefined) return [];
    if (inspection.kind === "postgres") return postgresFindings(inspection);
    return [...sqliteFindings(inspection), ...(await openAndCount(url)), await ownership(url)];
  } catch (error) {
    return [{ what: "Ledger", ok: false, found: describe(error) }];
  }
}

function sqliteFindings({ file, bytes, sqliteVersion, journalMode, migrations, damage }: SqliteInspection): readonly Finding[] {
  return [
    { what: "Ledger", ok: true, found: `${file}, ${plural(bytes, "byte")}` },
    { what: "SQLite", ok: true, found: sqliteVersion },
    { what: "Journal", ok: journalMode === "wal", found: journalMode },
    { what: "Integrity", ok: damage.length === 0, found: damage.length === 0 ? "sound" : damage.slice(0, 5).join("; ") },
    schemaFinding(migrations),
  ];
}

/** Opening refuses settings that are less durable than promised. */
async function openAndCount(url: string): Promise<readonly Finding[]> {
  const ledger = await openLedger(url);
  try {
    const { length } = await ledger.unfinished(0, COUNTED_RUNS + 1);
    return [
      { what: "Durability", ok: true, found: "write-ahead log, synchronous=FULL: every commit is on disk before it counts" },
      unfinishedFinding(length),
    ];
  } finally {
    await ledger.close();
  }
}

async function ownership(url: string): Promise<Finding> {
  const [owner] = await liveEngines(url);
  return { what: "Engine", ok: true, found: owner === undefined ? "none" : nameOf(owner) };
}

function postgresFindings({ name, server, schema }: PostgresInspection): readonly Finding[] {
  const { version, isTooOld, isReplica, durability } = server;
  const settings = Object.entries(durability);
  const isDurable = settings.every(([, value]) => value !== "off");
  const findings: readonly Finding[] = [
    { what: "Ledger", ok: true, found: name },
    { what: "PostgreSQL", ok: !isTooOld, found: isTooOld ? `${version}; 14 or later is needed` : version },
    { what: "Server", ok: !isReplica, found: isReplica ? "a replica, which takes no writes" : "takes writes" },
    { what: "Durability", ok: isDurable, found: settings.map(([setting, value]) => `${setting}=${value}`).join(", ") },
  ];
  if (schema === null) return [...findings, { what: "Schema", ok: true, found: "not there yet; stepwell migrate makes it" }];
  const { migrations, engines, unfinishedRuns } = schema;
  const workers = engines.map((engine): Finding => ({ what: "Engine", ok: true, found: `${nameOf(engine)}, ${pulseOf(engine)}` }));
  return [
    ...findings,
    schemaFinding(migrations),
    unfinishedFinding(unfinishedRuns),
    ...(workers.length === 0 ? [{ what: "Engine", ok: true, found: "none" }] : workers),
  ];
}

function schemaFinding({ applied, known }: SqliteInspection["migrations"]): Finding {
  const found =
    applied > known ? `migration ${applied}; this version knows ${known}, and can work on it` : `migration ${applied} of ${known}`;
  return { what: "Schema", ok: applied >= known, found };
}

function unfinishedFinding(count: number): Finding {
  return { what: "Unfinished runs", ok: true, found: count > COUNTED_RUNS ? `more than ${COUNTED_RUNS}` : String(count) };
}

function nameOf({ name, pid, host, version }: LiveEngine): string {
  return `${name}, process ${pid} on ${host}, Stepwell ${version}`;
}

function pulseOf({ silentMs, isAlive }: LiveEngine): string {
  const heard = silentMs === null ? "at work" : `heard of ${formatDuration(silentMs)} ago`;
  return isAlive ? heard : `${heard}: its lease has run out, and its runs are free for others`;
}

function describe(error: unknown): string {
  if (error instanceof StepwellError) return oneLine(`${error.code}: ${error.message}`);
  return oneLine(error instanceof Error ? error.message : String(error));
}
