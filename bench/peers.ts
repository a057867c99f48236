import { measureOnce } from "./comparison.ts";
import type { Settings } from "./engine-works.ts";
import type { Load, Sample } from "./loads.ts";
import { machineFacts } from "./machine.ts";
import { PEERS, PEERS_POSTGRES, type Peer, PeerEngines, type PeerFigures, type PeerLoad, peersFolder } from "./peer-engines.ts";
import { openServer } from "./postgres/server.ts";
import { formatFacts, formatNumber, formatTable, writeJson } from "./report.ts";

/** How one figure of ours is read and how the peer's. */
interface Figure {
  readonly title: string;
  readonly unit: string;
  readonly ours: (sample: Sample) => number | null;
  readonly peer: (figures: PeerFigures) => number | undefined;
  readonly better: "higher" | "lower";
}

interface Contest {
  readonly load: Load;
  readonly peerLoad: PeerLoad;
  readonly figures: readonly Figure[];
}

interface Duel {
  readonly work: string;
  readonly peer: string;
  readonly unit: string;
  readonly ours: number;
  readonly theirs: number;
  /** How many times ours is better, both measured right after each other. */
  readonly times: number;
  /** The least number of times that PERFORMANCE asks for; null where it asks for nothing. */
  readonly target: number | null;
}

const CALLERS = [1, 32, 256] as const;
const LEAST_TIMES: ReadonlyMap<string, number> = new Map([
  ["W1 c=256 openworkflow:sqlite", 80],
  ["W1 c=256 restate", 35],
  ["W1 c=256 dbos:direct", 30],
]);

const RATE: Pick<Figure, "unit" | "ours" | "peer" | "better"> = {
  unit: "runs/s",
  ours: (sample) => sample.runsPerSecond,
  peer: (figures) => figures.runs_s,
  better: "higher",
};
const W2: Figure = {
  title: "W2",
  unit: "steps/s",
  ours: (sample) => sample.stepsPerSecond,
  peer: (figures) => figures.steps_s,
  better: "higher",
};
const TIME = { unit: "ms", better: "lower" } as const;
const W3: Figure = { ...TIME, title: "W3", ours: (sample) => sample.medianMs, peer: (figures) => figures.ms_median };
const W4: readonly Figure[] = [
  { ...TIME, title: "W4 p50", ours: (sample) => sample.medianMs, peer: (figures) => figures.p50_ms },
  { ...TIME, title: "W4 p99", ours: (sample) => sample.p99Ms, peer: (figures) => figures.p99_ms },
];

export interface PeersChoice {
  readonly works: readonly string[];
  readonly settings: Omit<Settings, "server">;
  /** `sqlite`, or ours is measured on the server that the peers use. */
  readonly ledger: string;
  readonly quick: boolean;
  readonly json: string | undefined;
}

/** W1 to W4 of other engines, each right after ours under the same load; prints a table of how many times ours is better. */
export async function benchPeers({ works, settings, ledger, quick, json }: PeersChoice): Promise<void> {
  const machine = machineFacts();
  const engines = new PeerEngines(peersFolder());
  const skipped: string[] = [];
  const skip = (message: string): void => {
    skipped.push(message);
    console.error(message);
  };
  settings.progress("packages and servers of the peers");
  const peers = await engines.prepare(PEERS[ledger === "sqlite" ? "sqlite" : "postgres"], skip);
  const server = ledger === "sqlite" ? null : PEERS_POSTGRES;
  const facts = server === null ? undefined : (await openServer(server)).facts;
  const duels: Duel[] = [];
  for (const contest of contests(quick)) {
    if (!works.includes(contest.peerLoad.work)) continue;
    for (const peer of peers) {
      settings.progress(`${contest.figures.map(({ title }) => title).join(", ")} ${peer.name}`);
      const ours = await measureOnce({ contestant: settings.ours, load: contest.load }, server);
      try {
        duels.push(...compare(contest, peer, ours, await engines.measure(peer, contest.peerLoad)));
      } catch (cause) {
        skip(`FAILED ${contest.peerLoad.work} ${peer.name}: ${cause instanceof Error ? cause.message : String(cause)}`);
      }
    }
  }
  console.log(`${formatFacts({ ...machine, ledger: facts ?? "SQLite, WAL, synchronous=FULL" })}\n\n${formatDuels(duels)}\n`);
  for (const message of skipped) console.log(message);
  if (json !== undefined) writeJson(json, { machine, facts, duels, skipped });
}

function contests(quick: boolean): readonly Contest[] {
  const seconds = quick ? 1 : 5;
  const repetitions = quick ? 2 : 5;
  const pacedRuns = quick ? 50 : 500;
  const peerLoad = { concurrency: 1, seconds, repetitions, pacedRuns };
  return [
    ...CALLERS.map(
      (concurrency): Contest => ({
        load: { kind: "closed", workflow: "three", concurrency, seconds },
        peerLoad: { ...peerLoad, work: "W1", concurrency },
        figures: [{ ...RATE, title: `W1 c=${concurrency}` }],
      }),
    ),
    { load: { kind: "repeated", workflow: "chain", runs: repetitions }, peerLoad: { ...peerLoad, work: "W2" }, figures: [W2] },
    { load: { kind: "repeated", workflow: "fan", runs: repetitions }, peerLoad: { ...peerLoad, work: "W3" }, figures: [W3] },
    { load: { kind: "paced", workflow: "one", runs: pacedRuns, gapMs: 10 }, peerLoad: { ...peerLoad, work: "W4" }, figures: W4 },
  ];
}

function compare({ figures }: Contest, peer: Peer, sample: Sample, theirFigures: PeerFigures): readonly Duel[] {
  return figures.flatMap(({ title, unit, better, ...read }): Duel[] => {
    const ours = read.ours(sample);
    const theirs = read.peer(theirFigures);
    if (ours === null || theirs === undefined) return [];
    const times = better === "higher" ? ours / theirs : theirs / ours;
    return [{ work: title, peer: peer.name, unit, ours, theirs, times, target: LEAST_TIMES.get(`${title} ${peer.name}`) ?? null }];
  });
}

function formatDuels(duels: readonly Duel[]): string {
  const header = ["work", "peer", "unit", "ours", "peer's", "times better", "target", "met"];
  const rows = duels.map(({ work, peer, unit, ours, theirs, times, target }) => [
    ...[work, peer, unit, formatNumber(ours), formatNumber(theirs), `${formatNumber(times)} ×`],
    ...(target === null ? ["", ""] : [`≥ ${target} ×`, times >= target ? "yes" : "NO"]),
  ]);
  return formatTable(header, rows);
}
