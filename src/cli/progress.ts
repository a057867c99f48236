import type { LifecycleEvent } from "../engine/api.ts";
import { EventText } from "./event-text.ts";
import { LiveView } from "./live-view.ts";
import type { StepView } from "./step-rows.ts";
import type { Output, Terminal } from "./terminal.ts";

/** Shows what a run does while it does it. */
export interface Progress {
  event(event: LifecycleEvent, at: number): void;
  /** A line for the person, beside what the run does. */
  say(line: string): void;
  /** Leaves the screen to whoever writes next. */
  end(): void;
}

export interface ProgressSubject {
  readonly title: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly steps: readonly StepView[];
}

/** A view that redraws itself on a screen, plain lines everywhere else. */
export function showProgress(terminal: Terminal, subject: ProgressSubject): Progress {
  return terminal.out.isScreen ? new LiveScreen(terminal, subject) : plainLines(terminal.out, subject);
}

/** Nothing but what is said, for a program that reads the standard output. */
export function quietProgress(err: Output): Progress {
  return { event: () => undefined, say: (line) => err.line(line), end: () => undefined };
}

function plainLines(out: Output, { steps }: ProgressSubject): Progress {
  const text = new EventText(steps.map(({ id }) => id));
  return {
    event: (event, at) => {
      const line = text.line(event, at);
      if (line !== undefined) out.line(line);
    },
    say: (line) => out.line(line),
    end: () => undefined,
  };
}

/** Often enough that durations run, seldom enough that a remote terminal keeps up. */
const REDRAW_MS = 100;
const ESCAPE = "\u001b[";
/** A line with wide characters is cut by the terminal instead of wrapped, so that lines and rows stay the same number. */
const WRAP = { off: `${ESCAPE}?7l`, on: `${ESCAPE}?7h` } as const;

class LiveScreen implements Progress {
  readonly #terminal: Terminal;
  readonly #view: LiveView;
  readonly #text: EventText;
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;

  constructor(terminal: Terminal, { title, startedAt, steps }: ProgressSubject) {
    this.#terminal = terminal;
    this.#view = new LiveView(title, startedAt, steps);
    this.#text = new EventText(steps.map(({ id }) => id));
    this.#timer = setInterval(() => this.#draw(""), REDRAW_MS);
    this.#timer.unref();
    this.#draw("");
  }

  event(event: LifecycleEvent, at: number): void {
    this.#view.apply(event, at);
    if (event.type !== "log" && event.type !== "ledger.stalled") return;
    const line = this.#text.line(event, at);
    if (line !== undefined) this.say(line);
  }

  say(line: string): void {
    this.#draw(`${line}\n`);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#terminal.out.write(this.#erasure());
    this.#drawn = 0;
  }

  /** Puts `above` where the view began and the view below it, in one write, so that nothing flickers. */
  #draw(above: string): void {
    const { columns, rows } = this.#terminal.size();
    const lines = this.#view.lines({ columns, rows: rows - 1, now: Date.now(), paint: this.#terminal.out.paint });
    const erasure = this.#erasure();
    this.#drawn = lines.length;
    this.#terminal.out.write(`${erasure}${above}${WRAP.off}${lines.join("\n")}\n${WRAP.on}`);
  }

  #erasure(): string {
    return this.#drawn === 0 ? "" : `${ESCAPE}${this.#drawn}F${ESCAPE}J`;
  }
}
