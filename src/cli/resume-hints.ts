import type { RunExplanation, WaitsFor } from "../engine/explain/explanation.ts";
import { readExplanation } from "../engine/explain/read-explanation.ts";
import type { Ledger } from "../ledger/port.ts";
import { quoted } from "./go-on.ts";
import { fit, oneLine, plural } from "./layout.ts";
import { TENANT } from "./open-ledger.ts";

/** Steps whose commands are named; the others are counted. */
const HINTED_STEPS = 20;

export interface HintStyle {
  /** What stands behind every command, for example ` --ledger other.db`. */
  readonly ledgerFlag: string;
  readonly columns: number;
}

/** For each step that waits for somebody outside: what for, and the command that would let it go on. */
export async function resumeHints(ledger: Ledger, explanation: RunExplanation, style: HintStyle): Promise<readonly string[]> {
  const hints = await hintsOf(ledger, explanation, style.ledgerFlag);
  const shown = hints
    .slice(0, HINTED_STEPS)
    .flatMap(({ says, command }) => [`  ${fit(oneLine(says), style.columns - 2)}`, `    ${command}`]);
  const more = hints.length - HINTED_STEPS;
  return more > 0 ? [...shown, `  … and ${plural(more, "step")} more: stepwell explain ${explanation.id}${style.ledgerFlag}`] : shown;
}

interface Hint {
  readonly says: string;
  readonly command: string;
}

async function hintsOf(ledger: Ledger, { id, pausedBy, reason, says, steps }: RunExplanation, flag: string): Promise<readonly Hint[]> {
  if (pausedBy !== null) return [{ says, command: `stepwell runs resume ${id}${flag}` }];
  if (reason === "quarantined") return [{ says, command: `stepwell runs show ${id}${flag}, then: stepwell runs resume ${id}${flag}` }];
  const hints: Hint[] = [];
  for (const { step, waitsFor, says: why } of steps) {
    if (hints.length > HINTED_STEPS) break;
    const command = commandFor(waitsFor, id);
    if (command !== undefined) hints.push({ says: `${step} ${why}`, command: command + (waitsFor.kind === "no_worker" ? "" : flag) });
    if (waitsFor.kind === "child") hints.push(...(await hintsOf(ledger, await readExplanation(ledger, TENANT, waitsFor.run), flag)));
  }
  return hints;
}

function commandFor(waitsFor: WaitsFor, run: string): string | undefined {
  switch (waitsFor.kind) {
    case "task": {
      const { task, groups, assignees } = waitsFor;
      const [group] = assignees.length === 0 ? groups : [];
      return `stepwell tasks approve ${task} --as ${quoted(assignees[0] ?? "NAME")}${group === undefined ? "" : ` --group ${quoted(group)}`}`;
    }
    case "work":
      return waitsFor.status === "DEAD_LETTER"
        ? `stepwell tasks restore ${waitsFor.task}`
        : `stepwell tasks complete ${waitsFor.task} --result JSON`;
    case "signal":
      return `stepwell signal ${run} ${quoted(waitsFor.name)}`;
    case "event": {
      const next = waitsFor.events.find(({ hasCome, optional }) => !hasCome && !optional) ?? waitsFor.events[0];
      if (next === undefined) return undefined;
      const data = Object.keys(next.where).length === 0 ? "" : ` --data ${quoted(JSON.stringify(next.where))}`;
      return `stepwell events publish ${quoted(next.event)}${data}`;
    }
    case "no_worker":
      return `export the operator "${waitsFor.operator}" from the module of --operators`;
    default:
      return undefined;
  }
}
