/**
 * Kills the engine of the orders example at random moments until every run has ended, and then holds the ledger against what the
 * shop and the operators saw: `npm run chaos:kill -- --kills 200 --seed 7`.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { startShop } from "../../examples/orders/service.ts";
import { LineProcess } from "./lines.ts";
import { randomFrom } from "./seeded-random.ts";

/** The moments of a kill, milliseconds after the engine was started: from before it opens its ledger to after its last step. */
const FIRST_MS = 150;
const LAST_MS = 1_700;
/** A run that lost three engines without progress is held for a person, so the engine after the second such kill is left alone. */
const RECOVERIES_WITHOUT_PROGRESS = 1;
/** No engine needs longer for a whole run. */
const LONGEST_MS = 60_000;

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** Multiplies the shop's latencies. */
  readonly pace: number;
  readonly report?: (line: string) => void;
}

export interface KillReport {
  readonly seed: number;
  readonly kills: number;
  readonly runs: number;
  /** Calls of operators, repeated ones included. */
  readonly calls: number;
  /** Effects at the shop, one for each key. */
  readonly effects: number;
  /** What must not be: empty. */
  readonly violations: readonly string[];
}

const Call = z.object({ at: z.number(), run: z.string(), step: z.string(), attempt: z.number() });
const ShopCall = z.object({ at: z.number(), key: z.string(), endpoint: z.string(), effect: z.boolean(), status: z.number() });
const End = z.object({ status: z.string(), error: z.unknown().optional() });

interface Place {
  readonly ledger: string;
  readonly calls: string;
  readonly shop: string;
  readonly url: string;
}

export async function runKillMatrix({ kills, seed, pace, report = () => undefined }: KillOptions): Promise<KillReport> {
  const directory = await mkdtemp(join(tmpdir(), "stepwell-kills-"));
  const place = { ledger: join(directory, "ledger.db"), calls: join(directory, "calls.jsonl"), shop: join(directory, "shop.jsonl") };
  await using shop = await startShop({ port: 0, stateFile: place.shop, pace });
  const random = randomFrom(seed);
  const violations: string[] = [];
  let killed = 0;
  let runs = 0;
  while (killed < kills) {
    runs += 1;
    killed += await driveOneRun({ ...place, url: shop.url }, `batch-${runs}`, kills - killed, random, violations);
    report(`run ${runs}: ${killed} of ${kills} kills`);
  }
  const counts = await checkCalls(place, violations);
  await rm(directory, { recursive: true });
  return { seed, kills: killed, runs, ...counts, violations };
}

/** Starts and kills engines until the run has ended; returns how often it was killed. */
async function driveOneRun(place: Place, key: string, most: number, random: () => number, violations: string[]): Promise<number> {
  for (let killed = 0; ; ) {
    const engine = new LineProcess(new URL("orders-engine.ts", import.meta.url), [place.ledger, place.url, place.calls, key]);
    const mayKill = killed < most && crashesOf(place.ledger, key) < RECOVERIES_WITHOUT_PROGRESS;
    const ended = await endWithin(engine, mayKill ? FIRST_MS + random() * (LAST_MS - FIRST_MS) : LONGEST_MS);
    const code = await engine.ended();
    if (ended === undefined && mayKill) {
      killed += 1;
      continue;
    }
    const end = End.parse(JSON.parse(ended ?? '{"status":"without end"}'));
    if (end.status !== "SUCCEEDED") violations.push(`${key} ended ${end.status}, exit code ${code}: ${JSON.stringify(end.error)}`);
    return killed;
  }
}

/** How the run ended, or undefined after `ms`, when the engine has been killed. */
async function endWithin(engine: LineProcess, ms: number): Promise<string | undefined> {
  const moment = new AbortController();
  await Promise.race([engine.line("ended "), pause(ms, moment)]);
  moment.abort();
  if (!engine.lines.some((line) => line.startsWith("ended "))) engine.kill();
  const line = await engine.line("ended ");
  return line?.slice("ended ".length);
}

async function pause(ms: number, { signal }: AbortController): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** Recoveries of the run since it last got anywhere. */
function crashesOf(ledger: string, key: string): number {
  try {
    const db = new DatabaseSync(ledger, { readOnly: true });
    const row = db.prepare("SELECT crashes FROM runs WHERE idempotency_key = ?").get(key);
    db.close();
    return Number(row?.["crashes"] ?? 0);
  } catch {
    // an engine that was killed in its first moments may have left no ledger
    return 0;
  }
}

/** Holds both journals against the ledger. */
async function checkCalls(place: Omit<Place, "url">, violations: string[]): Promise<Pick<KillReport, "calls" | "effects">> {
  const db = new DatabaseSync(place.ledger, { readOnly: true });
  const finished = new Map<string, { readonly at: number; readonly status: string }>();
  for (const { step, at, status } of db.prepare("SELECT run_id || ':' || path AS step, finished_at AS at, status FROM step_runs").all()) {
    finished.set(String(step), { at: Number(at ?? Number.POSITIVE_INFINITY), status: String(status) });
  }
  const unfinished = db.prepare("SELECT id || ' is ' || status AS violation FROM runs WHERE status <> 'SUCCEEDED'").all();
  for (const { violation } of unfinished) violations.push(`run ${String(violation)}`);
  db.close();
  const calls = (await readLines(place.calls)).map((line) => Call.parse(line));
  for (const { at, run, step, attempt } of calls) {
    if (at > (finished.get(`${run}:${step}`)?.at ?? 0))
      violations.push(`attempt ${attempt} of ${run}:${step} was called after the step had finished`);
  }
  const effects = new Map<string, number>();
  for (const { at, key, endpoint, effect, status } of (await readLines(place.shop)).map((line) => ShopCall.parse(line))) {
    if (effect) effects.set(key, (effects.get(key) ?? 0) + 1);
    if (status === 422) violations.push(`${endpoint} ${key}: one key with two requests`);
    if (at > (finished.get(key)?.at ?? 0)) violations.push(`${endpoint} ${key} was called after its step had finished`);
  }
  for (const [key, count] of effects) if (count !== 1) violations.push(`${key} took effect ${count} times`);
  for (const [key, { status }] of finished) {
    const isEffect = /:(?:stock|openCase|capture|labels|notify)$/.test(key);
    if (isEffect && status === "SUCCEEDED" && !effects.has(key)) violations.push(`${key} is SUCCEEDED and never took effect`);
  }
  return { calls: calls.length, effects: effects.size };
}

async function readLines(file: string): Promise<readonly unknown[]> {
  const text = await readFile(file, "utf8");
  return text.split("\n").flatMap((line): unknown[] => {
    try {
      return [JSON.parse(line)];
    } catch {
      // a line that a kill has cut: what it would have said had not begun
      return [];
    }
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { kills: { type: "string", default: "50" }, seed: { type: "string" }, pace: { type: "string", default: "0.3" } },
  });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const result = await runKillMatrix({ kills: Number(values.kills), seed, pace: Number(values.pace), report: console.log });
  console.log(JSON.stringify(result, null, 2));
  process.exitCode = result.violations.length === 0 ? 0 : 1;
}
