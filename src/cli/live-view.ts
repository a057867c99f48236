import type { LifecycleEvent } from "../engine/api.ts";
import { UNDO_PREFIX } from "../engine/step-paths.ts";
import { formatDuration } from "../model/duration.ts";
import { isInside, outermost, ownSteps } from "./inside-blocks.ts";
import { fit } from "./layout.ts";
import { errorLine, type PageStyle, progressText, type StepView, stepLines } from "./step-rows.ts";
import { waitOfEvent } from "./wait-view.ts";

export interface ScreenStyle extends PageStyle {
  /** Lines that the view may take at most. */
  readonly rows: number;
}

/** Steps inside one block that are shown: those that wait, or failed. */
const SHOWN_INSIDE = 3;

/** How a run stands, told by its events: the picture that a terminal shows of it. Knows no terminal and no clock. */
export class LiveView {
  readonly #title: string;
  readonly #startedAt: number;
  readonly #steps: Map<string, StepView>;
  /** By the id of their block: steps inside it that wait or failed. */
  readonly #inside = new Map<string, Map<string, StepView>>();

  /** @param startedAt milliseconds since the Unix epoch */
  constructor(title: string, startedAt: number, steps: readonly StepView[]) {
    this.#title = title;
    this.#startedAt = startedAt;
    this.#steps = new Map(ownSteps(steps).map((step) => [step.id, step]));
    for (const step of steps) if (isInside(step.id)) this.#noteInside(step);
  }

  /** @param at when it happened, milliseconds since the Unix epoch */
  apply(event: LifecycleEvent, at: number): void {
    if (event.type === "item.settled") this.#itemSettled(event);
    if (!("step" in event)) return;
    const step = this.#known(event.step);
    if (step === undefined) return;
    const change = changeBy(event, step, at);
    if (change === undefined) return;
    const changed = { ...step, ...change };
    if (isInside(event.step)) this.#noteInside(changed);
    else this.#steps.set(event.step, changed);
  }

  /** A step inside a block, and one that undoes another, is not known before it begins. */
  #known(id: string): StepView | undefined {
    const step = this.#steps.get(id) ?? this.#inside.get(outermost(id))?.get(id);
    if (step !== undefined || !(id.startsWith(UNDO_PREFIX) || this.#steps.has(outermost(id)))) return step;
    return { ...UNKNOWN, id };
  }

  #noteInside(step: StepView): void {
    const block = outermost(step.id);
    const noted = this.#inside.get(block) ?? new Map<string, StepView>();
    this.#inside.set(block, noted);
    if (step.status === "SUSPENDED" || (step.status === "FAILED" && step.reason !== "on_error")) noted.set(step.id, step);
    else noted.delete(step.id);
  }

  #itemSettled({ step: path, status }: Extract<LifecycleEvent, { type: "item.settled" }>): void {
    const block = this.#steps.get(path.slice(0, path.lastIndexOf("[")));
    if (block === undefined || block.block === null) return;
    const { done, failed } = block.block;
    const counts = { ...block.block, done: done + 1, failed: failed + (status === "FAILED" ? 1 : 0) };
    this.#steps.set(block.id, { ...block, block: counts });
  }

  /** A head line, then one line for each step; when they are too many, those that a person must see and how many more there are. */
  lines(style: ScreenStyle): readonly string[] {
    const { columns, now, paint, rows } = style;
    const own = [...this.#steps.values()];
    const steps = own.flatMap((step) => [step, ...this.#shownInside(step)]);
    const head = `${this.#title}  ${formatDuration(Math.max(0, now - this.#startedAt))}  ${progressText(own)}`;
    const room = Math.max(1, rows - 1);
    const shown = steps.length <= room ? steps : mostPressing(steps, room - 1);
    const hidden = steps.length - shown.length;
    return [
      paint.bold(fit(head, columns)),
      ...stepLines(shown, { ...style, alignedTo: steps }),
      ...(hidden > 0 ? [paint.dim(fit(`… and ${hidden} more`, columns))] : []),
    ];
  }

  #shownInside({ id, status }: StepView): readonly StepView[] {
    const noted = this.#inside.get(id);
    if (noted === undefined || (status !== "RUNNING" && status !== "SUSPENDED")) return [];
    const shown: StepView[] = [];
    for (const step of noted.values()) if (shown.push(step) === SHOWN_INSIDE) break;
    return shown;
  }
}

const UNKNOWN: Omit<StepView, "id"> = {
  uses: "",
  status: "PENDING",
  reason: null,
  attempt: 0,
  startedAt: null,
  finishedAt: null,
  retryAt: null,
  error: null,
  waits: null,
  block: null,
};

/** What an event changes of its step. */
function changeBy(event: LifecycleEvent, { startedAt, block }: StepView, at: number): Partial<StepView> | undefined {
  switch (event.type) {
    case "step.started": {
      const begun = event.block === undefined ? block : { ...event.block, done: 0, failed: 0 };
      const state = { status: "RUNNING", reason: null, attempt: event.attempt, finishedAt: null, retryAt: null, waits: null } as const;
      return { ...state, startedAt: startedAt ?? at, block: begun };
    }
    case "step.retrying": {
      const { attempt, delayMs, error } = event;
      return { status: "SUSPENDED", reason: "retry", attempt, retryAt: at + delayMs, error: errorLine(error), waits: null };
    }
    case "step.suspended":
      return { status: "SUSPENDED", reason: event.kind, attempt: event.attempt, waits: waitOfEvent(event, at) };
    case "step.settled": {
      const { status, reason, attempt, error } = event;
      return { status, reason, attempt, finishedAt: at, retryAt: null, waits: null, error: error === null ? null : errorLine(error) };
    }
    default:
      return undefined;
  }
}

/** Steps that move or failed, in the order of the definition. */
function mostPressing(steps: readonly StepView[], count: number): readonly StepView[] {
  return steps.filter(({ status }) => status === "RUNNING" || status === "SUSPENDED" || status === "FAILED").slice(0, count);
}
