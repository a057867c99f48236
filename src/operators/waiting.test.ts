import { describe, expect, test } from "vitest";
import { operatorContext } from "../../test/fixtures/operator-context.ts";
import type { Json } from "../model/json.ts";
import { builtInDefinitions } from "./definitions.ts";
import { createBuiltInExecutors } from "./executors.ts";
import { Suspension } from "./suspension.ts";

const executors = createBuiltInExecutors();

/** `code path` of what the definition says of a `with`; expressions in it are taken on trust. */
const check = (name: string, source: Json) =>
  (builtInDefinitions.get(name)?.check?.({ source, references: [], isConstant: true, evaluate: () => source }) ?? []).map(
    ({ code, path }) => `${code} ${path}`,
  );

async function suspend(name: string, input: Json) {
  expect(check(name, input)).toEqual([]);
  const operator = await executors.operators.get(name)?.();
  const suspension = await operator?.(input, operatorContext());
  if (!(suspension instanceof Suspension)) throw new Error(`${name} did not suspend`);
  const { request, dueInMs, dueAt, onTimeout } = suspension;
  const { deadline: _deadline, onTimeout: _onTimeout, ...awaited } = request;
  return { awaited, due: dueInMs ?? dueAt, onTimeout };
}

/** Refused in the definition and, with the same words, when the step runs. */
async function expectRefused(name: string, input: Json, problems: readonly string[]) {
  expect(check(name, input)).toEqual(problems);
  const operator = await executors.operators.get(name)?.();
  const fields = problems.map((problem) => problem.slice(problem.indexOf(" ") + 1));
  await expect(async () => operator?.(input, operatorContext())).rejects.toMatchObject({
    code: "OPERATOR_INPUT_INVALID",
    data: { operator: name, fields },
  });
}

describe("sleep", () => {
  test("S1-33 S1+12 it suspends for a time or until an instant", async () => {
    const timer = { kind: "timer" };
    expect(await suspend("sleep", { for: "2h" })).toEqual({ awaited: timer, due: 7_200_000, onTimeout: "fail" });
    expect(await suspend("sleep", { for: 250 })).toMatchObject({ due: 250 });
    expect(await suspend("sleep", { until: "1970-01-02T01:00:00+01:00" })).toEqual({ awaited: timer, due: 86_400_000, onTimeout: "fail" });
    expect(await suspend("sleep", { until: "1970-01-02T00:00Z" })).toMatchObject({ due: 86_400_000 });
  });

  test("one of both, and in its form", async () => {
    await expectRefused("sleep", {}, ["FIELD_MISSING for"]);
    await expectRefused("sleep", { for: "1s", until: "2027-01-01T00:00:00Z" }, ["FIELD_INVALID until"]);
    for (const until of ["tomorrow", "2027-01-01", "2027-01-01T08:00:00", "2027-13-01T08:00:00Z", "2027-01-01T24:00:00Z"])
      await expectRefused("sleep", { until }, ["FIELD_INVALID until"]);
    for (const time of ["soon", true, -1]) await expectRefused("sleep", { for: time }, ["FIELD_INVALID for"]);
    expect(check("sleep", { for: "{{ input.pause }}" })).toEqual([]);
    expect(check("sleep", { until: "{{ input.at }}", for: null })).toEqual([]);
  });
});

describe("wait", () => {
  test("S1-33 it suspends for a signal, with or without a deadline", async () => {
    expect(await suspend("wait", { signal: "paid" })).toEqual({ awaited: { kind: "signal", key: "paid" }, due: null, onTimeout: "fail" });
    expect(await suspend("wait", { signal: "paid", timeout: "1d", onTimeout: "continue" })).toMatchObject({
      due: 86_400_000,
      onTimeout: "continue",
    });
  });

  test("S1+12 it suspends for one event, or for several of which some are optional", async () => {
    expect(await suspend("wait", { event: "order.paid", where: { id: 7, test: false } })).toMatchObject({
      awaited: { kind: "event", mode: "any", events: [{ event: "order.paid", where: { id: 7, test: false }, optional: false }] },
    });
    const events = [
      { event: "a", where: { id: "x" } },
      { event: "b", optional: true },
    ];
    expect(await suspend("wait", { events, mode: "all" })).toMatchObject({
      awaited: {
        mode: "all",
        events: [
          { event: "a", where: { id: "x" }, optional: false },
          { event: "b", where: {}, optional: true },
        ],
      },
    });
  });

  test("it waits for one kind of thing, which must be able to come", async () => {
    await expectRefused("wait", {}, ["FIELD_MISSING signal"]);
    await expectRefused("wait", { signal: "" }, ["FIELD_INVALID signal"]);
    await expectRefused("wait", { signal: "a", event: "b" }, ["FIELD_INVALID event"]);
    await expectRefused("wait", { signal: "a", where: {}, mode: "all" }, ["FIELD_INVALID mode", "FIELD_INVALID where"]);
    await expectRefused("wait", { event: "a", where: { id: [1] } }, ["FIELD_INVALID where.id"]);
    await expectRefused("wait", { event: "a", where: 5 }, ["FIELD_INVALID where"]);
    await expectRefused("wait", { events: [] }, ["FIELD_INVALID events"]);
    await expectRefused("wait", { events: 5 }, ["FIELD_INVALID events"]);
    await expectRefused("wait", { events: [{ evnt: "a", optional: 1, where: { x: {} } }, 5] }, [
      "FIELD_MISSING events[0].event",
      "FIELD_INVALID events[0].where.x",
      "FIELD_INVALID events[0].optional",
      "FIELD_UNKNOWN events[0].evnt",
      "FIELD_INVALID events[1]",
    ]);
    await expectRefused("wait", { events: [{ event: "a", optional: true }], mode: "all" }, ["FIELD_INVALID events"]);
    await expectRefused("wait", { signal: "a", onTimeout: "continue" }, ["FIELD_INVALID onTimeout"]);
  });

  test("expressions are taken on trust until the step runs", () => {
    expect(check("wait", { event: "{{ input.name }}", where: { id: "{{ input.id }}" }, timeout: "{{ vars.limit }}" })).toEqual([]);
    expect(check("wait", { events: "{{ input.events }}" })).toEqual([]);
    expect(check("wait", { events: ["{{ input.event }}", { event: "a" }] })).toEqual([]);
  });
});

describe("approval", () => {
  const nobody = { assignees: [], groups: [] };

  test("S1-33 S0-24 it suspends with a task for a person", async () => {
    const form = { type: "object", properties: { amount: { type: "number" } } };
    expect(
      await suspend("approval", {
        title: "Order 7",
        description: "d",
        form,
        assignees: "ana",
        groups: ["finance"],
        expires: "2d",
        onReject: "continue",
      }),
    ).toEqual({
      awaited: {
        kind: "task",
        task: { type: "approval", title: "Order 7", description: "d", form, assignees: ["ana"], groups: ["finance"], onReject: "continue" },
      },
      due: 172_800_000,
      onTimeout: "fail",
    });
    expect(await suspend("approval", { title: "t" })).toMatchObject({
      awaited: { task: { description: null, form: null, onReject: "fail", ...nobody } },
      due: null,
    });
  });

  test("it has a title, and its members have their form", async () => {
    await expectRefused("approval", { form: "x", assignees: [1], onReject: "stop", titel: "t" }, [
      "FIELD_MISSING title",
      "FIELD_INVALID form",
      "FIELD_INVALID assignees",
      "FIELD_INVALID onReject",
      "FIELD_UNKNOWN titel",
    ]);
    expect(check("approval", { title: "{{ input.t }}", form: "{{ input.form }}", groups: ["{{ input.group }}"] })).toEqual([]);
  });
});

describe("task", () => {
  test("S1+22 it suspends with work on a topic", async () => {
    expect(await suspend("task", { topic: "packing" })).toEqual({
      awaited: {
        kind: "task",
        task: { type: "work", topic: "packing", payload: null, maxAttempts: 3, retryDelayMs: 10_000, leaseMs: 60_000 },
      },
      due: null,
      onTimeout: "fail",
    });
    const input = { topic: "packing", payload: { id: 7 }, retry: { maxAttempts: 1, delay: 0 }, lease: "5m", expires: 1_000 };
    expect(await suspend("task", input)).toMatchObject({
      awaited: { task: { payload: { id: 7 }, maxAttempts: 1, retryDelayMs: 0, leaseMs: 300_000 } },
      due: 1_000,
    });
  });

  test("topic, retry and lease are checked", async () => {
    await expectRefused("task", { topic: 5, retry: { maxAttempts: 0, factor: 2 }, lease: 0 }, [
      "FIELD_INVALID topic",
      "FIELD_INVALID retry.maxAttempts",
      "FIELD_UNKNOWN retry.factor",
      "FIELD_INVALID lease",
    ]);
    await expectRefused("task", { topic: "t", retry: 3 }, ["FIELD_INVALID retry"]);
    expect(check("task", { topic: "t", retry: { maxAttempts: "{{ vars.tries }}" } })).toEqual([]);
  });
});

describe("workflow", () => {
  test("S1-34 it suspends for a child run", async () => {
    expect(await suspend("workflow", { name: "shipping" })).toEqual({
      awaited: { kind: "child", workflow: "shipping", input: null, close: "cancel" },
      due: null,
      onTimeout: "fail",
    });
    expect(await suspend("workflow", { name: "shipping", version: 2, input: { id: 7 }, close: "abandon" })).toMatchObject({
      awaited: { version: "2", input: { id: 7 }, close: "abandon" },
    });
  });

  test("it names a workflow", async () => {
    await expectRefused("workflow", { close: "kill", version: {} }, ["FIELD_MISSING name", "FIELD_INVALID version", "FIELD_INVALID close"]);
  });
});
