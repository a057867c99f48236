import { RUN_REASONS, RUN_TRANSITIONS, STEP_REASONS, STEP_TRANSITIONS } from "../src/model/status.ts";

type Transitions = Readonly<Record<string, readonly string[]>>;
type Reasons = Readonly<Record<string, string>>;

function diagram(transitions: Transitions): readonly string[] {
  const [start = ""] = Object.keys(transitions);
  const arrows = Object.entries(transitions).flatMap(([from, targets]) =>
    targets.length === 0 ? [`  ${from} --> [*]`] : targets.map((to) => `  ${from} --> ${to}`),
  );
  return ["```mermaid", "stateDiagram-v2", `  [*] --> ${start}`, ...arrows, "  FAILED --> SUSPENDED: runs retry", "```"];
}

function table(reasons: Reasons): readonly string[] {
  return ["| Reason | Meaning |", "|---|---|", ...Object.entries(reasons).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`)];
}

/** The text of docs/reference/states.md, made from the tables by which the ledger guards every change. */
export function statesPage(): string {
  return [
    "# States",
    "",
    "Made from `src/model/status.ts` by `npm run docs`; the ledger refuses every transition that is not drawn here.",
    "`FAILED` is left only by hand: `runs retry` reopens the run and the steps that failed it, and makes PENDING again what fell with them.",
    "A status says where a run or a step stands, and its reason says why.",
    "",
    "## Runs",
    "",
    ...diagram(RUN_TRANSITIONS),
    "",
    ...table(RUN_REASONS),
    "",
    "## Steps",
    "",
    ...diagram(STEP_TRANSITIONS),
    "",
    ...table(STEP_REASONS),
    "",
  ].join("\n");
}
