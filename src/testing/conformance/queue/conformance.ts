import { afterEach, describe, expect, test } from "vitest";
import type { Queue } from "../../../queue/port.ts";
import { Yard, YardEngine } from "./yard.ts";

/** One end of a queue that other ends know. */
export type OpenQueue = () => Promise<Queue>;

const namesOf = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `run-${index}`);
const heldBy = (engines: readonly YardEngine[]): readonly string[] => engines.flatMap(({ held }) => held);

/**
 * What every queue does for engines.
 *
 * @param fresh makes a queue that nobody knows, and gives what opens an end of it
 */
export function describeQueueConformance(name: string, fresh: () => OpenQueue): void {
  describe(`queue conformance: ${name}`, () => {
    const ends: Queue[] = [];
    const engines: YardEngine[] = [];
    afterEach(async () => {
      for (const engine of engines.splice(0)) engine.stop();
      await Promise.all(ends.splice(0).map((queue) => queue.close()));
    });
    const opened = async (open: OpenQueue): Promise<Queue> => {
      const queue = await open();
      ends.push(queue);
      return queue;
    };
    const engineOf = (yard: Yard, queue: Queue, room: number): YardEngine => {
      const engine = new YardEngine(yard, queue, room);
      engines.push(engine);
      return engine;
    };

    test("S3-10 an engine with room is woken for runs that its own process stores, and for those of another one", async () => {
      const [open, yard] = [fresh(), new Yard()];
      const [own, other] = [await opened(open), await opened(open)];
      const engine = engineOf(yard, own, 10);
      yard.store(own, "own");
      await yard.until(() => engine.held.length === 1);
      yard.store(other, "other");
      await yard.until(() => engine.held.length === 2);
      expect(engine.held).toEqual(["own", "other"]);
    });

    test("S0-13 several engines take what one process stores, each run once, and each engine no more than it has room for", async () => {
      const [open, yard] = [fresh(), new Yard()];
      const sender = await opened(open);
      for (let index = 0; index < 3; index++) engineOf(yard, await opened(open), 100);
      const names = namesOf(300);
      for (const publicId of names) yard.store(sender, publicId);
      await yard.until(() => heldBy(engines).length === 300);
      expect(heldBy(engines).toSorted()).toEqual(names.toSorted());
    });

    test("runs for which an engine has no room are taken by one that has, and by itself once it has some", async () => {
      const [open, yard] = [fresh(), new Yard()];
      const sender = await opened(open);
      const full = engineOf(yard, await opened(open), 0);
      yard.store(sender, ...namesOf(20));
      const roomy = engineOf(yard, await opened(open), 15);
      yard.store(sender, "last");
      await yard.until(() => roomy.held.length === 15);
      expect(full.held).toEqual([]);
      await full.widen(100);
      yard.store(sender, "later");
      await yard.until(() => heldBy(engines).length === 22);
      expect(full.held).toContain("later");
    });

    test("a word that comes many times, late, or for a run that is gone does nothing", async () => {
      const [open, yard] = [fresh(), new Yard()];
      const queue = await opened(open);
      const engine = engineOf(yard, queue, 10);
      queue.announce({ publicId: "nobody", tenant: "default", versionId: 1, workerGroup: "default" });
      for (let time = 0; time < 100; time++) queue.announce({ publicId: "one", tenant: "default", versionId: 1, workerGroup: "default" });
      yard.store(queue, "one");
      await yard.until(() => engine.held.length === 1);
      queue.announce({ publicId: "one", tenant: "default", versionId: 1, workerGroup: "default" });
      yard.store(queue, "two");
      await yard.until(() => engine.held.length === 2);
      expect(engine.held).toEqual(["one", "two"]);
    });

    test("a run that is withdrawn keeps nobody from the next one", async () => {
      const [open, yard] = [fresh(), new Yard()];
      const queue = await opened(open);
      const engine = engineOf(yard, queue, 10);
      queue.announce({ publicId: "cancelled", tenant: "default", versionId: 1, workerGroup: "default" });
      queue.withdraw("cancelled");
      queue.withdraw("unheard of");
      yard.store(queue, "next");
      await yard.until(() => engine.held.length === 1);
      expect(engine.held).toEqual(["next"]);
    });

    test("the next engine of a process is woken, and not the one before", async () => {
      const [open, yard] = [fresh(), new Yard()];
      const queue = await opened(open);
      const before = engineOf(yard, queue, 10);
      before.stop();
      const after = engineOf(yard, queue, 10);
      yard.store(queue, "run");
      await yard.until(() => after.held.length === 1);
      expect(before.looks).toBe(0);
    });

    test("after its end it takes words and wakes nobody; to end it again does nothing", async () => {
      const [open, yard] = [fresh(), new Yard()];
      const [queue, other] = [await opened(open), await opened(open)];
      const ended = engineOf(yard, queue, 10);
      ended.stop();
      await queue.close();
      await queue.close();
      expect(() => {
        queue.announce({ publicId: "late", tenant: "default", versionId: 1, workerGroup: "default" });
        queue.withdraw("late");
        queue.roomMade();
      }).not.toThrow();
      const living = engineOf(yard, other, 10);
      yard.store(other, "run");
      await yard.until(() => living.held.length === 1);
      expect(ended.looks).toBe(0);
    });
  });
}
