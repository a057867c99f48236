import { describe, expect, test } from "vitest";
import { Slots } from "./slots.ts";

/** A caller that notes that it was served and keeps or declines the slot. */
function caller(log: string[], name: string, keeps = true): () => boolean {
  return () => {
    log.push(name);
    return keeps;
  };
}

describe("slots", () => {
  test("S1-20 no more are out than there are, and who asked first is served first", () => {
    const slots = new Slots(2);
    const log: string[] = [];
    expect([slots.take(), slots.take(), slots.take()]).toEqual([true, true, false]);
    slots.wait(caller(log, "first"));
    slots.wait(caller(log, "second"));
    slots.release();
    expect(log).toEqual(["first"]);
    slots.release();
    expect(log).toEqual(["first", "second"]);
    expect(slots.take()).toBe(false);
  });

  test("who has no use for a slot any more is passed over", () => {
    const slots = new Slots(1);
    const log: string[] = [];
    slots.take();
    slots.wait(caller(log, "gone", false));
    slots.wait(caller(log, "there"));
    slots.release();
    expect(log).toEqual(["gone", "there"]);
    expect(slots.take()).toBe(false);
    slots.release();
    expect(slots.take()).toBe(true);
  });

  test("slots taken beyond the limit are paid back before anybody is served, and nobody who waits is forgotten", () => {
    const slots = new Slots(1);
    const log: string[] = [];
    for (let recovered = 0; recovered < 3; recovered++) slots.takeAnyway();
    slots.wait(caller(log, "waiting"));
    slots.release();
    slots.release();
    expect(log).toEqual([]);
    slots.release();
    expect(log).toEqual(["waiting"]);
    slots.release();
    expect([slots.take(), slots.take()]).toEqual([true, false]);
  });

  test("a long queue is served in its order to the end", () => {
    const slots = new Slots(1);
    const served: number[] = [];
    slots.take();
    for (let index = 0; index < 5_000; index++) {
      slots.wait(() => {
        served.push(index);
        return true;
      });
    }
    for (let index = 0; index < 5_000; index++) slots.release();
    expect(served).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
    slots.release();
    expect(slots.take()).toBe(true);
  });
});
