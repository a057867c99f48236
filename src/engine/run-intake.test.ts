import { expect, test } from "vitest";
import { openMemoryLedger } from "../ledger/memory/ledger.ts";
import { Gate, Harness, interposed, slowToRead } from "../testing/harness.ts";

const turns = async (count: number): Promise<void> => {
  for (let passed = 0; passed < count; passed++) await new Promise((resolve) => setImmediate(resolve));
};

test("S0-12 a run that is admitted while its engine reads it for a signal has its turn all the same", async () => {
  const slow = slowToRead(openMemoryLedger());
  const { claims } = slow.ledger;
  const beganAndWentOn = Promise.withResolvers<void>();
  let admitted = 0;
  const ledger = interposed(slow.ledger, {
    claims: {
      runs: (pickup, after, limit, offers) => claims.runs(pickup, after, limit, offers),
      due: (after, limit) => claims.due(after, limit),
      one: (runId) => claims.one(runId),
      sent: (after, limit) => claims.sent(after, limit),
      admit: async (epoch, limit) => {
        const given = await claims.admit(epoch, limit);
        admitted += given.runs.length;
        if (admitted === 4) beganAndWentOn.resolve();
        return given;
      },
    },
  });
  const work = new Gate();
  const harness = new Harness(ledger, { operators: { work: work.operator } });
  const { stepwell } = harness;
  const waitFor = (signal: string) => ({ uses: "wait", with: { signal } });
  await stepwell.register({
    name: "limited",
    concurrency: 1,
    steps: { x: waitFor("x"), y: waitFor("y"), a: { uses: "work", needs: ["x"] } },
  });
  const parked = async (): Promise<string> => {
    const id = await stepwell.start("limited", {});
    await harness.event((event) => event.type === "run.suspended" && event.run.id === id);
    return id;
  };
  const [first, second] = [await parked(), await parked()];
  await stepwell.signal(first, "x");
  await work.arrivals(1);
  await stepwell.signal(second, "x");
  await harness.event((event) => event.type === "run.suspended" && event.run.id === second && event.reason === "queued");
  await turns(4);
  slow.isSlow = true;
  const told = stepwell.signal(second, "y");
  await slow.reading.arrivals(1);
  work.open();
  await beganAndWentOn.promise;
  await turns(4);
  slow.isSlow = false;
  slow.reading.open();
  await told;
  expect(await stepwell.result(second)).toMatchObject({ status: "SUCCEEDED" });
  await stepwell.signal(first, "y");
  expect(await stepwell.result(first)).toMatchObject({ status: "SUCCEEDED" });
  await stepwell.stop();
});

test("S0-12 P2 P9 a paused run whose turn comes while its engine reads it for a resume is in the queue again with that", async () => {
  const slow = slowToRead(openMemoryLedger());
  const commits: (readonly string[])[] = [];
  const noting = interposed(slow.ledger, {
    commit: (batch) => {
      for (const { writes } of batch.units) commits.push(writes.map(({ write }) => write));
      return slow.ledger.commit(batch);
    },
  });
  const work = new Gate();
  const { stepwell } = new Harness(noting, { operators: { work: work.operator } });
  const { epoch } = await stepwell.open();
  await stepwell.register({ name: "limited", concurrency: 1, steps: [{ uses: "work" }] });
  const first = await stepwell.start("limited", {});
  await work.arrivals(1);
  const second = await stepwell.start("limited", {});
  await stepwell.pause(second);
  while ((await slow.ledger.getRun("default", second))?.pausedBy === null) await turns(1);
  slow.isSlow = true;
  const told = stepwell.resume(second);
  await slow.reading.arrivals(1);
  work.open();
  await stepwell.result(first);
  expect(await slow.ledger.claims.admit(epoch, 1)).toMatchObject({ runs: [] });
  slow.isSlow = false;
  slow.reading.open();
  await told;
  expect(await stepwell.result(second)).toMatchObject({ status: "SUCCEEDED" });
  const [, resumed] = commits.filter((writes) => writes.includes("pauseRun"));
  expect(resumed).toEqual(["consumeInbox", "insertEvent", "pauseRun", "requeueRun", "insertNote"]);
  await stepwell.stop();
});
