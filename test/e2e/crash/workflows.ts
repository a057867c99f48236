import { isDeepStrictEqual } from "node:util";
import type { Json, JsonObject } from "../../../src/model/json.ts";
import type { RunStatus } from "../../../src/model/status.ts";

/** How a run of a workflow ends, whatever crashes. */
export interface End {
  readonly status: RunStatus;
  readonly output: Json;
}

export interface Program {
  readonly definition: JsonObject;
  /** The ends that are right, for a run that was started under this key. */
  readonly ends: (key: string) => readonly End[];
  /** Steps that have effects at the sink, each once if all goes well. */
  readonly effects: readonly string[];
  /** Steps that wait for time, and how long at least, milliseconds. */
  readonly sleeps?: Readonly<Record<string, number>>;
  /** Signals that a person sends, and how many of each name: `late 1`, then `late 2`. */
  readonly signals: Readonly<Record<string, number>>;
  /** Names of those that are sent as soon as the run is known, before anybody waits for them. */
  readonly early?: readonly string[];
  /** Cancelled by a person once this step is at work or waits. */
  readonly cancelledAt?: string;
  /** Paused by a person once this step waits; the signal comes while it is paused. */
  readonly pausedAt?: string;
}

const effect = (id: string, more: JsonObject = {}): JsonObject => ({ id, uses: "effect", with: { what: id }, ...more });
const signal = (id: string, name: string): JsonObject => ({ id, uses: "wait", with: { signal: name } });

export const RETRY_DELAY_MS = 15;
export const ROUND_DELAY_MS = 15;
const NAP_MS = 25;
const LONG_NAP_MS = 60;

const waits: Program = {
  definition: {
    name: "waits",
    steps: {
      a: { uses: "effect", with: { what: "a" } },
      flaky: {
        uses: "effect",
        with: { what: "flaky", mode: "flaky" },
        retry: { strategy: "fixed", maxAttempts: 4, initialDelay: RETRY_DELAY_MS },
      },
      nap: { uses: "sleep", with: { for: NAP_MS }, needs: ["a"] },
      early: { uses: "wait", with: { signal: "early" }, needs: ["nap"] },
      first: { uses: "wait", with: { signal: "late" }, needs: ["a"] },
      second: { uses: "wait", with: { signal: "late" }, needs: ["first"] },
      paid: { uses: "wait", with: { event: "paid", where: { order: "{{ input.key }}" } } },
      review: { uses: "approval", with: { title: "Order {{ input.key }}" } },
      end: { uses: "effect", with: { what: "end" }, needs: ["flaky", "early", "second", "paid", "review"] },
    },
    output: {
      early: "{{ steps.early.output }}",
      late: ["{{ steps.first.output }}", "{{ steps.second.output }}"],
      paid: "{{ steps.paid.output.data }}",
      approved: "{{ steps.review.output.approved }}",
      end: "{{ steps.end.output.done }}",
    },
  },
  ends: (key) => [
    {
      status: "SUCCEEDED",
      output: { early: "early 1", late: ["late 1", "late 2"], paid: { order: key }, approved: true, end: "end" },
    },
  ],
  effects: ["a", "flaky", "end"],
  sleeps: { nap: NAP_MS },
  signals: { early: 1, late: 2 },
  early: ["early"],
};

/** Nothing but time wakes it. */
const sleeper: Program = {
  definition: {
    name: "sleeper",
    steps: [effect("a"), { id: "nap", uses: "sleep", with: { for: LONG_NAP_MS } }, effect("b")],
    output: "{{ steps.b.output.done }}",
  },
  ends: () => [{ status: "SUCCEEDED", output: "b" }],
  effects: ["a", "b"],
  sleeps: { nap: LONG_NAP_MS },
  signals: {},
};

const blocks: Program = {
  definition: {
    name: "blocks",
    steps: {
      lines: {
        foreach: "{{ input.list }}",
        maxConcurrency: 2,
        steps: [
          { id: "ask", uses: "wait", with: { signal: "item-{{ item }}" } },
          { id: "do", uses: "effect", with: { what: "{{ steps.ask.output }}" } },
        ],
        output: "{{ steps.do.output.done }}",
      },
      poll: {
        with: { n: 0 },
        loop: { until: "{{ carry.n >= 2 }}", carry: { n: "{{ carry.n + 1 }}" }, maxIterations: 9, delay: ROUND_DELAY_MS },
        steps: [{ id: "check", uses: "effect", with: { what: "{{ carry.n }}" } }],
        output: "{{ steps.check.output.done }}",
      },
      pack: {
        uses: "task",
        with: { topic: "packing", payload: "{{ input.key }}", lease: 150, retry: { maxAttempts: 50, delay: 5 } },
      },
      big: { uses: "large" },
      end: { uses: "effect", with: { what: "end" }, needs: ["lines", "poll", "pack", "big"] },
    },
    output: { lines: "{{ steps.lines.output }}", poll: "{{ steps.poll.output }}", pack: "{{ steps.pack.output }}" },
  },
  ends: (key) => [{ status: "SUCCEEDED", output: { lines: ["item-x 1", "item-y 1", "item-z 1"], poll: 2, pack: { packed: key } } }],
  effects: ["lines[0].do", "lines[1].do", "lines[2].do", "poll[0].check", "poll[1].check", "poll[2].check", "end"],
  signals: { "item-x": 1, "item-y": 1, "item-z": 1 },
};

const family: Program = {
  definition: {
    name: "family",
    steps: [effect("before"), { id: "kid", uses: "workflow", with: { name: "kid", input: { key: "{{ input.key }}" } } }, effect("after")],
    output: "{{ steps.kid.output }}",
  },
  ends: (key) => [{ status: "SUCCEEDED", output: { key, told: "tell 1" } }],
  effects: ["before", "after"],
  signals: {},
};

/** The child of `family`; a person signals it like any other run. */
const kid: Program = {
  definition: {
    name: "kid",
    steps: [effect("work"), signal("told", "tell"), effect("more")],
    output: { key: "{{ input.key }}", told: "{{ steps.told.output }}" },
  },
  ends: (key) => [{ status: "SUCCEEDED", output: { key, told: "tell 1" } }],
  effects: ["work", "more"],
  signals: { tell: 1 },
};

const saga: Program = {
  definition: {
    name: "saga",
    steps: [
      effect("reserve", { compensate: { uses: "effect", with: { what: "undo reserve" } } }),
      signal("sure", "sure"),
      effect("charge", { compensate: { uses: "effect", with: { what: "undo charge" } } }),
      { id: "ship", uses: "fails" },
      effect("never"),
    ],
  },
  ends: () => [{ status: "FAILED", output: null }],
  effects: ["reserve", "charge", "compensate.charge", "compensate.reserve"],
  signals: { sure: 1 },
};

const cancelled: Program = {
  definition: { name: "cancelled", steps: [effect("a"), signal("ask", "nobody"), effect("never")] },
  ends: () => [{ status: "CANCELLED", output: null }],
  effects: ["a"],
  signals: {},
  cancelledAt: "ask",
};

const aborted: Program = {
  definition: { name: "aborted", steps: [effect("a"), { id: "busy", uses: "obedient" }, effect("never")] },
  ends: () => [{ status: "CANCELLED", output: null }],
  effects: ["a"],
  signals: {},
  cancelledAt: "busy",
};

const paused: Program = {
  definition: { name: "paused", steps: [effect("a"), signal("ask", "go"), effect("b")], output: "{{ steps.ask.output }}" },
  ends: () => [{ status: "SUCCEEDED", output: "go 1" }],
  effects: ["a", "b"],
  signals: { go: 1 },
  pausedAt: "ask",
};

const once: Program = {
  definition: {
    name: "once",
    steps: [effect("pay", { delivery: "at-most-once" }), effect("after", { with: { what: "{{ steps.pay.output.done }}" } })],
    output: "{{ steps.after.output.done }}",
  },
  ends: () => [
    { status: "SUCCEEDED", output: "pay" },
    { status: "FAILED", output: null },
  ],
  effects: ["pay", "after"],
  signals: {},
};

const PROGRAMS: Readonly<Record<string, Program>> = { waits, sleeper, blocks, family, kid, saga, cancelled, aborted, paused, once };
/** Those that somebody starts: all but the child. */
export const STARTED = Object.keys(PROGRAMS).filter((name) => name !== "kid");
export const WORKFLOWS: readonly JsonObject[] = Object.values(PROGRAMS).map(({ definition }) => definition);

export function programOf(workflow: string): Program {
  const program = PROGRAMS[workflow];
  if (program === undefined) throw new Error(`nobody wrote a workflow "${workflow}"`);
  return program;
}

export function isRightEnd(program: Program, key: string, end: End): boolean {
  return program.ends(key).some((right) => isDeepStrictEqual(right, end));
}
