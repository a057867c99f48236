import { expect, test } from "vitest";
import { CONTEXT } from "../../test/expressions/evaluate.ts";
import { LIMITS } from "../model/limits.ts";
import { Evaluation } from "./evaluation.ts";
import type { Frame } from "./function-value.ts";

/** As JSONata makes it, with nothing in it. */
class BareFrame implements Frame {
  readonly base = this;
  readonly timestamp = { setTime: (ms: number) => ms };
  depth = 0;
  guardrails: () => void = () => undefined;

  bind(): void {}

  lookup(): undefined {}
}

test("parts of an expression that wait for each other are counted, whatever the time", () => {
  const frame = new BareFrame();
  const evaluation = new Evaluation({}, [], CONTEXT, "");
  evaluation.attach(frame);
  evaluation.takeOverGuardrails();
  frame.depth = LIMITS.expressionDepth;
  expect(() => frame.guardrails()).not.toThrow();
  frame.depth += 1;
  expect(() => frame.guardrails()).toThrow(`more than ${LIMITS.expressionDepth} parts of it wait for each other`);
});
