// `npm run bench`: the works of the guide (docs/guide/performance.md), each beside the limit of the same machine in the same minutes.
import { parseArgs } from "node:util";
import { w13 } from "./cold-start.ts";
import { w5 } from "./crash-works.ts";
import { memory, type Settings, type WorkResult, w1, w2, w3, w4, w14 } from "./engine-works.ts";
import { machineFacts } from "./machine.ts";
import { openServer } from "./postgres/server.ts";
import { disk, w9 } from "./postgres/works.ts";
import { endAll, endOnSignals } from "./processes.ts";
import { queue } from "./queue-works.ts";
import { formatFacts, formatRows, isMet, type Row, writeJson } from "./report.ts";
import { w6 } from "./scheduler-work.ts";
import { growth, w7, w8 } from "./waiting-works.ts";

const WORKS = {
  ...{ W1: w1, W2: w2, W3: w3, W4: w4, W5: w5, W6: w6, W7: w7, W8: w8, W9: w9, W13: w13, W14: w14 },
  ...{ growth, queue, memory, disk },
} as const;

type WorkName = keyof typeof WORKS;

const ON_ANY_LEDGER: readonly WorkName[] = ["W1", "W2", "W3", "W4", "W5", "W14", "queue", "memory"];
const ON_POSTGRES_ALONE: readonly WorkName[] = ["W9", "disk"];
const OF_PEERS: readonly WorkName[] = ["W1", "W2", "W3", "W4"];

const USAGE = `usage: npm run bench -- [WORK]... [--ledger LEDGER] [--quick] [--dist] [--minutes N] [--runs N] [--json FILE]
       npm run bench:peers -- [WORK]... [--ledger postgres] [--quick] [--json FILE]
works: ${worksOn("sqlite").join(" ")} (default: all), on PostgreSQL ${worksOn("postgres").join(" ")}; with --peers ${OF_PEERS.join(" ")}
--ledger   sqlite (default), postgres for a server that is started, or the URL postgres://… of one whose user may create databases
--quick    fewer and shorter repetitions: shows that everything runs, not how fast
--dist     measures dist/ as built before instead of the sources
--minutes  how long the memory is watched (default 1)
--runs     how many runs W7 and queue have waiting (default 100000, with --quick 10000)
--peers    beside other engines; their folder is STEPWELL_PEERS_DIR, default ../shared/bench/peers`;

interface Choice {
  readonly works: readonly WorkName[];
  /** Without the server, which is opened for it. */
  readonly settings: Omit<Settings, "server">;
  readonly ledger: string;
  readonly json: string | undefined;
  readonly quick: boolean;
  readonly peers: boolean;
}

function readArguments(args: readonly string[]): Choice | undefined {
  try {
    const flag = { type: "boolean", default: false } as const;
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: flag,
        dist: flag,
        peers: flag,
        ledger: { type: "string", default: "sqlite" },
        json: { type: "string" },
        minutes: { type: "string", default: "1" },
        runs: { type: "string" },
      },
    });
    const minutes = Number(values.minutes);
    const waitingRuns = Number(values.runs ?? (values.quick ? 10_000 : 100_000));
    const { ledger } = values;
    const known = values.peers ? OF_PEERS : worksOn(ledger);
    const works = positionals.length === 0 ? known : known.filter((work) => positionals.includes(work));
    if (!(minutes > 0) || !(waitingRuns >= 1) || !/^(sqlite|postgres|postgres(ql)?:.+)$/.test(ledger)) return undefined;
    if (!positionals.every((name) => isWork(name) && known.includes(name))) return undefined;
    const settings: Choice["settings"] = {
      ours: values.dist ? "ours-dist" : "ours",
      repetitions: values.quick ? 2 : 5,
      seconds: values.quick ? 0.5 : 2,
      minutes,
      waitingRuns,
      scale: values.quick ? 0.25 : 1,
      progress: (message) => process.stderr.write(`${message} …\n`),
    };
    return { works, settings, ledger, json: values.json, quick: values.quick, peers: values.peers };
  } catch {
    return undefined;
  }
}

/** What can be measured there. */
function worksOn(ledger: string): readonly WorkName[] {
  const names = Object.keys(WORKS).filter(isWork);
  return names.filter((name) => ON_ANY_LEDGER.includes(name) || (ledger === "sqlite") !== ON_POSTGRES_ALONE.includes(name));
}

function isWork(name: string): name is WorkName {
  return Object.hasOwn(WORKS, name);
}

/** A work that cannot be measured is told and does not stop the others. */
async function measureAll(names: readonly WorkName[], settings: Settings): Promise<ReadonlyMap<WorkName, WorkResult>> {
  const results = new Map<WorkName, WorkResult>();
  for (const name of names) {
    try {
      results.set(name, await WORKS[name](settings));
    } catch (cause) {
      process.exitCode = 1;
      console.error(`${name} FAILED: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  return results;
}

async function bench({ works, settings, ledger, json }: Choice): Promise<void> {
  const machine = machineFacts();
  await using server = ledger === "sqlite" ? undefined : await openServer(ledger === "postgres" ? undefined : ledger);
  const described = {
    ledger: server?.facts ?? "SQLite, WAL, synchronous=FULL, a new file for each repetition",
    repetitions: `${settings.repetitions}, interleaved with the limits, each in a fresh process after a warm-up`,
    "closed loop": `${settings.seconds} s`,
    "node options": process.env["NODE_OPTIONS"] ?? "none (V8's defaults)",
    "code measured": settings.ours === "ours" ? "src/" : "dist/",
  };
  const results = await measureAll(works, { ...settings, server: server?.url ?? null });
  const rows: readonly Row[] = [...results.values()].flatMap((result) => result.rows);
  console.log(`${formatFacts({ ...machine, ...described })}\n\n${formatRows(rows)}\n`);
  const missed = rows.filter((row) => isMet(row) === false);
  if (missed.length > 0) console.log(`targets missed: ${missed.map(({ work, unit }) => `${work} (${unit})`).join(", ")}`);
  const details = Object.fromEntries([...results].map(([name, result]) => [name, result.details]));
  if (json !== undefined)
    writeJson(json, { machine, settings: described, rows: rows.map((row) => ({ ...row, isMet: isMet(row) })), details });
}

const choice = readArguments(process.argv.slice(2));
if (choice === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  endOnSignals();
  try {
    if (choice.peers) {
      const { benchPeers } = await import("./peers.ts");
      await benchPeers(choice);
    } else await bench(choice);
  } finally {
    endAll();
  }
}
