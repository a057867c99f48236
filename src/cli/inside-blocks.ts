import type { BlockView } from "./block-view.ts";
import type { StepView } from "./step-rows.ts";

/** Whether a path is of a step inside a block: `lines[3].price`. */
export function isInside(path: string): boolean {
  return path.includes("[");
}

/** The steps of the workflow itself, without those inside blocks. */
export function ownSteps(steps: readonly StepView[]): readonly StepView[] {
  return steps.filter(({ id }) => !isInside(id));
}

/** Those inside blocks, by the block of the workflow itself. */
export function insideByBlock(steps: readonly StepView[]): ReadonlyMap<string, readonly StepView[]> {
  return Map.groupBy(
    steps.filter(({ id }) => isInside(id)),
    ({ id }) => outermost(id),
  );
}

/** The id of the step of the workflow itself that a step belongs to: `lines` of `lines[3].price`. */
export function outermost(path: string): string {
  const at = path.indexOf("[");
  return at === -1 ? path : path.slice(0, at);
}

/** `3` of `lines[3].price`. */
function indexOf(path: string): string {
  return path.slice(path.indexOf("[") + 1, path.indexOf("]"));
}

/** What a block did, by the rows of its steps; null for a step that is no block. */
export function blockOfRows(step: StepView, inner: readonly StepView[]): BlockView | null {
  if (step.uses !== "foreach" && step.uses !== "loop") return null;
  const items = Map.groupBy(inner, ({ id }) => indexOf(id));
  const isOpen = ({ status }: StepView): boolean => status === "RUNNING" || status === "SUSPENDED";
  const hasFailed = ({ status, reason }: StepView): boolean => status === "FAILED" && reason !== "on_error";
  const settled = [...items.values()].filter((steps) => !steps.some(isOpen));
  return { kind: step.uses, done: settled.length, failed: settled.filter((steps) => steps.some(hasFailed)).length, total: items.size };
}

/** Rows inside one block that are shown; the others are counted. */
const SHOWN_INSIDE = 12;

/** Every block before what matters inside it: its first item, and what failed, waits or runs. */
export function arranged(steps: readonly StepView[]): readonly StepView[] {
  const inside = insideByBlock(steps);
  return steps.flatMap((step) => {
    if (isInside(step.id)) return [];
    const rows = inside.get(step.id) ?? [];
    const telling = rows.filter(
      ({ id, status }) => indexOf(id) === "0" || status === "FAILED" || status === "SUSPENDED" || status === "RUNNING",
    );
    return [step, ...telling.slice(0, SHOWN_INSIDE)];
  });
}
