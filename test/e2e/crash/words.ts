import { type Crash, isPoint } from "./crash-points.ts";

/**
 * What an engine's process is told: words with tabs between them, a line each. Reading them takes nothing that would have to be
 * loaded, since thousands of these processes are started.
 */
export interface Task {
  readonly ledger: string;
  readonly sink: string;
  readonly crash: Crash | null;
  /** Runs held in memory at once. */
  readonly runs: number;
  /** A commit is written only when the sink has answered whatever is on its way to it. */
  readonly areCommitsSlow: boolean;
}

/** What a caller asks of an engine; the answer bears the same number. */
export type Command =
  | { readonly do: "start"; readonly n: number; readonly workflow: string; readonly key: string }
  | {
      readonly do: "signal";
      readonly n: number;
      readonly run: string;
      readonly name: string;
      readonly payload: string;
      readonly id: string;
    }
  | { readonly do: "publish"; readonly n: number; readonly event: string; readonly order: string; readonly id: string }
  | { readonly do: "cancel" | "pause" | "resume"; readonly n: number; readonly run: string; readonly actor: string }
  | { readonly do: "approve"; readonly n: number; readonly task: string; readonly by: string }
  | { readonly do: "work"; readonly n: number; readonly topic: string }
  | { readonly do: "stop"; readonly n: number };

export function writeTask({ ledger, sink, crash, runs, areCommitsSlow }: Task): string {
  return [ledger, sink, runs, areCommitsSlow ? "slow" : "", ...(crash === null ? [] : [crash.point, crash.side, crash.nth])].join("\t");
}

export function readTask(line: string): Task {
  const [ledger = "", sink = "", runs, pace, point = "", side, nth] = line.split("\t");
  const crash = isPoint(point) ? ({ point, side: side === "after" ? side : "before", nth: Number(nth) } as const) : null;
  return { ledger, sink, runs: Number(runs), areCommitsSlow: pace === "slow", crash };
}

/** The verb, the number, and the rest in the order in which `readCommand` takes it. */
export function writeCommand(command: Command): string {
  return [command.do, command.n, ...restOf(command)].join("\t");
}

function restOf(command: Command): readonly string[] {
  switch (command.do) {
    case "start":
      return [command.workflow, command.key];
    case "signal":
      return [command.run, command.name, command.payload, command.id];
    case "publish":
      return [command.event, command.order, command.id];
    case "cancel":
    case "pause":
    case "resume":
      return [command.run, command.actor];
    case "approve":
      return [command.task, command.by];
    case "work":
      return [command.topic];
    case "stop":
      return [];
  }
}

export function readCommand(line: string): Command {
  const [verb = "", number, a = "", b = "", c = "", d = ""] = line.split("\t");
  const n = Number(number);
  switch (verb) {
    case "start":
      return { do: verb, n, workflow: a, key: b };
    case "signal":
      return { do: verb, n, run: a, name: b, payload: c, id: d };
    case "publish":
      return { do: verb, n, event: a, order: b, id: c };
    case "cancel":
    case "pause":
    case "resume":
      return { do: verb, n, run: a, actor: b };
    case "approve":
      return { do: verb, n, task: a, by: b };
    case "work":
      return { do: verb, n, topic: a };
    case "stop":
      return { do: verb, n };
    default:
      throw new Error(`nobody knows how to "${verb}"`);
  }
}
