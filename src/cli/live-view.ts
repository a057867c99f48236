import type { LifecycleEvent } from "../engine/api.ts";
import { formatDuration } from "../model/duration.ts";
import { fit } from "./layout.ts";
import { errorLine, type PageStyle, progressText, type StepView, stepLines } from "./step-rows.ts";

export interface ScreenStyle extends PageStyle {
  /** Lines that the view may take at most. */
  readonly rows: number;
}

/** How a run stands, told by its events: the picture that a terminal shows of it. Knows no terminal and no clock. */
export class LiveView {
  readonly #title: string;
  readonly #startedAt: number;
  readonly #steps: Map<string, StepView>;

  /** @param startedAt milliseconds since the Unix epoch */
  constructor(title: string, startedAt: number, steps: readonly StepView[]) {
    this.#title = title;
    this.#startedAt = startedAt;
    this.#steps = new Map(steps.map((step) => [step.id, step]));
  }

  /** @param at when it happened, milliseconds since the Unix epoch */
  apply(event: LifecycleEvent, at: number): void {
    switch (event.type) {
      case "step.started":
        this.#change(event.step, ({ startedAt }) => ({
          status: "RUNNING",
          reason: null,
          attempt: event.attempt,
          startedAt: startedAt ?? at,
          finishedAt: null,
          retryAt: null,
        }));
        break;
      case "step.retrying":
        this.#change(event.step, () => ({
          status: "SUSPENDED",
          reason: "retry",
          attempt: event.attempt,
          retryAt: at + event.delayMs,
          error: errorLine(event.error),
        }));
        break;
      case "step.settled":
        this.#change(event.step, () => ({
          status: event.status,
          reason: event.reason,
          attempt: event.attempt,
          finishedAt: at,
          retryAt: null,
          error: event.error === null ? null : errorLine(event.error),
        }));
        break;
      default:
    }
  }

  #change(id: string, change: (step: StepView) => Partial<StepView>): void {
    const step = this.#steps.get(id);
    if (step !== undefined) this.#steps.set(id, { ...step, ...change(step) });
  }

  /** A head line, then one line for each step; when they are too many, those that a person must see and how many more there are. */
  lines(style: ScreenStyle): readonly string[] {
    const { columns, now, paint, rows } = style;
    const steps = [...this.#steps.values()];
    const head = `${this.#title}  ${formatDuration(Math.max(0, now - this.#startedAt))}  ${progressText(steps)}`;
    const room = Math.max(1, rows - 1);
    const shown = steps.length <= room ? steps : mostPressing(steps, room - 1);
    const hidden = steps.length - shown.length;
    return [
      paint.bold(fit(head, columns)),
      ...stepLines(shown, { ...style, alignedTo: steps }),
      ...(hidden > 0 ? [paint.dim(fit(`… and ${hidden} more`, columns))] : []),
    ];
  }
}

/** Steps that move or failed, in the order of the definition. */
function mostPressing(steps: readonly StepView[], count: number): readonly StepView[] {
  return steps.filter(({ status }) => status === "RUNNING" || status === "SUSPENDED" || status === "FAILED").slice(0, count);
}
