import { describe, expect, test } from "vitest";
import { answer, done, finish, follow, together, type Work } from "./work.ts";

/** Asks so many questions, one after the other, and comes to the sum of the answers. */
function* asking(questions: number, asked: string[], name: string): Work<number> {
  let sum = 0;
  for (let question = 1; question <= questions; question++) {
    asked.push(`${name}${question}`);
    sum += yield* answer(Promise.resolve(question));
  }
  return sum;
}

/** How often work waits before it has come to something. */
async function waits<T>(work: Work<T>): Promise<{ readonly waited: number; readonly result: T }> {
  const steps = work[Symbol.iterator]();
  let step = steps.next();
  let waited = 0;
  for (; step.done !== true; waited++) step = steps.next(await step.value);
  return { waited, result: step.value };
}

describe("pieces of work that are done together", () => {
  test("wait as often as the longest of them, and each gets its own answers", async () => {
    const asked: string[] = [];
    const { waited, result } = await waits(together(asking(1, asked, "a"), asking(3, asked, "b"), done("at once"), asking(2, asked, "c")));
    expect(result).toEqual([1, 6, "at once", 3]);
    expect(waited).toBe(3);
    expect(asked).toEqual(["a1", "b1", "c1", "b2", "c2", "b3"]);
  });

  test("wait for nothing when none of them does", () => {
    expect(finish(together(done(1), done("two")))).toEqual([1, "two"]);
    expect(finish(together())).toEqual([]);
  });

  test("fail with the first of them that fails, and the others do not go on", async () => {
    const asked: string[] = [];
    function* failing(): Work<never> {
      yield* answer(Promise.resolve());
      throw new Error("no");
    }
    await expect(follow(together(asking(3, asked, "a"), failing()))).rejects.toThrow("no");
    expect(asked).toEqual(["a1", "a2"]);
    await expect(follow(together(asking(2, asked, "b"), answer(Promise.reject(new Error("lost")))))).rejects.toThrow("lost");
    expect(asked).toEqual(["a1", "a2", "b1"]);
  });
});
