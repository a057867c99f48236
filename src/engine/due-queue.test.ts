import fc from "fast-check";
import { expect, test } from "vitest";
import { DueQueue } from "./due-queue.ts";
import type { StepWait } from "./step-wait.ts";

const waitUntil = (dueAt: number): StepWait => ({
  kind: "timer",
  key: null,
  delayMs: null,
  dueAt,
  timer: null,
  childRunId: null,
  detail: {},
});

test("the wait that time ends first is always in front, whatever ended before its time", () => {
  const commands = fc.array(fc.oneof(fc.nat(50), fc.constant("end" as const)), { maxLength: 400 });
  fc.assert(
    fc.property(commands, fc.infiniteStream(fc.nat()), (given, picks) => {
      const queue = new DueQueue();
      const open: StepWait[] = [];
      for (const command of given) {
        if (command === "end") {
          const [ended] = open.splice(picks.next().value % Math.max(1, open.length), 1);
          if (ended !== undefined) queue.delete(ended);
        } else {
          const wait = waitUntil(command);
          open.push(wait);
          queue.add({ wait, dueAt: command });
        }
        const first = open.length === 0 ? undefined : Math.min(...open.map(({ dueAt }) => dueAt ?? 0));
        expect(queue.next()?.dueAt).toBe(first);
      }
    }),
  );
});
