import { at } from "./at.ts";
import type { DraftStep, Level } from "./draft.ts";
import type { Report } from "./findings.ts";
import type { Edge } from "./graph.ts";
import type { StepReference } from "./level-references.ts";
import type { Path } from "./path.ts";
import { asList, asObject, type NamedAt, namesIn } from "./readers.ts";
import { visibleStep } from "./references.ts";
import type { StepTemplates } from "./step-templates.ts";
import { didYouMean } from "./suggest.ts";

type EdgeTerms = Omit<Edge, "from" | "to">;

const CONTROL: EdgeTerms = { kind: "control", required: false, inferred: false };
const NEED: EdgeTerms = { kind: "data", required: false, inferred: false };
const IMPLIED: EdgeTerms = { kind: "order", required: false, inferred: true };

/** Target ordinals of each entry of a step's `switch`, in its order; unknown names are left out. */
export type SwitchTargets = readonly (readonly number[])[];

export interface Connections {
  /** By target, then by source: two steps have at most one edge in each direction. */
  readonly edges: readonly Edge[];
  /** By ordinal; empty for a step without `switch`. */
  readonly targets: readonly SwitchTargets[];
}

/**
 * Finds the edges of SPEC §2: control from `switch`, data from `needs` and references, order between the steps of a list. What
 * connects the same two steps is one edge: control before data before order, required when anything requires it, inferred
 * only when nothing was written.
 */
export function connect(level: Level, templates: readonly StepTemplates[], report: Report): Connections {
  const incoming: Map<number, EdgeTerms>[] = level.steps.map(() => new Map<number, EdgeTerms>());
  const targets = level.steps.map((step) => readTargets(step, level, report));
  targets.forEach((cases, source) => {
    for (const target of cases.flat()) at(incoming, target).set(source, CONTROL);
  });
  level.steps.forEach((step, ordinal) => {
    const into = at(incoming, ordinal);
    addNeeds(step, level, into, report);
    if (level.isList && ordinal > 0 && !Object.hasOwn(step.fields, "needs")) merge(into, ordinal - 1, IMPLIED);
    for (const reference of at(templates, ordinal).references) addReference(step, reference, level, into, report);
  });
  const edges = incoming.flatMap((sources, to) =>
    [...sources].toSorted(([left], [right]) => left - right).map(([from, terms]): Edge => ({ from, to, ...terms })),
  );
  return { edges, targets };
}

function readTargets(step: DraftStep, level: Level, report: Report): SwitchTargets {
  return asList(step.fields["switch"]).map((entry, index) => {
    const fields = asObject(entry);
    const path = [...step.path, "switch", index];
    const names = [...namesIn(fields["then"], [...path, "then"]), ...namesIn(fields["otherwise"], [...path, "otherwise"])];
    return [...new Set(names.flatMap((named) => find(named, level, report) ?? []))];
  });
}

function find({ name, path }: NamedAt, level: Level, report: Report): number | undefined {
  const ordinal = level.ordinals.get(name);
  if (ordinal === undefined) {
    const outside = "A body waits for no step outside of it; its block does, and expressions in the body make it so.";
    const hint = () => (visibleStep(level, name) === undefined ? didYouMean(name, level.ordinals.keys()) : outside);
    report({ code: "STEP_UNKNOWN", path, message: `There is no step \`${name}\`${level.block === null ? "" : " in this body"}`, hint });
  }
  return ordinal;
}

function addNeeds(step: DraftStep, level: Level, into: Map<number, EdgeTerms>, report: Report): void {
  const seen = new Set<number>();
  for (const named of namesIn(step.fields["needs"], [...step.path, "needs"])) {
    const from = find(named, level, report);
    if (from === undefined) continue;
    const reason = seen.has(from) ? "twice" : into.get(from)?.kind === "control" ? "though its switch already selects it" : undefined;
    if (reason !== undefined) {
      const message = `Step \`${step.id}\` needs \`${named.name}\` ${reason}`;
      report({ code: "NEEDS_REDUNDANT", severity: "warning", path: named.path, message, hint: "Remove this need." });
    }
    seen.add(from);
    merge(into, from, NEED);
  }
}

/** In a list a step waits for the earlier ones anyway, so a reference there only orders; `needs` makes it a data edge. */
function addReference(step: DraftStep, reference: StepReference, level: Level, into: Map<number, EdgeTerms>, report: Report): void {
  const { ordinal: from, required, path } = reference;
  const known = into.get(from);
  const isData = known?.kind === "data" || !level.isList;
  if (isData) merge(into, from, { kind: "data", required, inferred: true });
  else if (from < step.ordinal || known !== undefined) merge(into, from, IMPLIED);
  else reportNotBefore(step, from, path, level, report);
}

function reportNotBefore(step: DraftStep, from: number, path: Path, level: Level, report: Report): void {
  report({
    code: "STEP_NOT_BEFORE",
    path,
    message:
      from === step.ordinal
        ? `Step \`${step.id}\` refers to itself`
        : `Step \`${step.id}\` refers to \`${at(level.steps, from).id}\`, which stands after it in the list`,
    hint: "Move the step up, or name it in `needs`.",
  });
}

/** A control edge absorbs the rest: its target runs only when the switch succeeded and selected it. */
function merge(into: Map<number, EdgeTerms>, from: number, terms: EdgeTerms): void {
  const known = into.get(from);
  if (known === undefined) into.set(from, terms);
  else if (known.kind !== "control") {
    into.set(from, {
      kind: known.kind === "data" || terms.kind === "data" ? "data" : "order",
      required: known.required || terms.required,
      inferred: known.inferred && terms.inferred,
    });
  }
}
