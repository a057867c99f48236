import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Definition, Stepwell } from "../src/index.ts";
import { openStepwell, type Source } from "./ours.ts";

/** CPU time of one unit of work in a small and in a four times larger case: where the cost is linear they are equal. */
export interface GrowthSample {
  readonly scenario: string;
  readonly unit: string;
  readonly units: number;
  readonly smallMicros: number;
  readonly largeMicros: number;
}

interface Scenario {
  readonly name: string;
  readonly unit: string;
  /** Of the large case at scale 1. */
  readonly units: number;
  readonly workflows: readonly Definition[];
  /** Does everything that is not measured and resolves with what is. */
  readonly prepare: (stepwell: Stepwell, units: number) => Promise<() => Promise<void>>;
}

const TIMES_LARGER = 4;
const BETWEEN_ANSWERS_MS = 2;

const list = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);
const EVERY = { foreach: "{{ input.items }}", maxConcurrency: 100_000 } as const;

const SCENARIOS: readonly Scenario[] = [
  {
    name: "answers to the items of one run",
    unit: "answer",
    units: 4_000,
    workflows: [
      { name: "asked", steps: { each: { ...EVERY, steps: [{ uses: "wait", with: { signal: "{{ 'go' & $string(index) }}" } }] } } },
    ],
    prepare: async (stepwell, units) => {
      const id = await parked(stepwell, "asked", { items: list(units) });
      return async () => {
        for (const index of list(units)) await answer(stepwell, id, `go${index}`);
        await succeeded(stepwell, id);
      };
    },
  },
  {
    name: "early signals to one run",
    unit: "signal",
    units: 8_000,
    workflows: [
      {
        name: "counter",
        steps: [
          { uses: "wait", with: { signal: "begin" } },
          {
            id: "rounds",
            loop: { while: "{{ round < input.rounds }}", maxIterations: 1_000_000 },
            steps: [{ uses: "wait", with: { signal: "more" } }],
          },
        ],
      },
    ],
    prepare: async (stepwell, units) => {
      const id = await parked(stepwell, "counter", { rounds: units });
      return async () => {
        for (let sent = 0; sent < units; sent++) await stepwell.signal(id, "more");
        await stepwell.signal(id, "begin");
        await succeeded(stepwell, id);
      };
    },
  },
  {
    name: "rounds of one loop, each answered",
    unit: "round",
    units: 4_000,
    workflows: [
      {
        name: "asking",
        steps: [
          {
            id: "rounds",
            loop: { while: "{{ round < input.rounds }}", maxIterations: 1_000_000 },
            steps: [{ uses: "wait", with: { signal: "next" } }],
          },
        ],
      },
    ],
    prepare: async (stepwell, units) => {
      const id = await parked(stepwell, "asking", { rounds: units });
      return async () => {
        for (let sent = 0; sent < units; sent++) await answer(stepwell, id, "next");
        await succeeded(stepwell, id);
      };
    },
  },
  {
    name: "short sleeps beside open waits",
    unit: "sleep",
    units: 2_000,
    workflows: [
      {
        name: "beside",
        steps: {
          each: { ...EVERY, steps: [{ uses: "wait", with: { signal: "end" } }] },
          ticks: { loop: { while: "{{ round < input.rounds }}", maxIterations: 1_000_000 }, steps: [{ uses: "sleep", with: { for: 1 } }] },
        },
      },
    ],
    prepare: async (stepwell, units) => {
      const id = await stepwell.start("beside", { items: list(units), rounds: units });
      return async () => {
        const ended = async (): Promise<boolean> =>
          (await stepwell.get(id))?.steps.some(({ id: step, status }) => step === "ticks" && status === "SUCCEEDED") === true;
        while (!(await ended())) await sleep(1_000);
      };
    },
  },
  {
    name: "runs that wait for one event",
    unit: "run",
    units: 8_000,
    workflows: [{ name: "subscriber", steps: [{ uses: "wait", with: { event: "opened" } }] }],
    prepare: async (stepwell, units) => {
      const ids = await Promise.all(list(units).map(() => stepwell.start("subscriber", {})));
      await sleep(200);
      return async () => {
        await stepwell.publish("opened", {});
        await Promise.all(ids.map((id) => succeeded(stepwell, id)));
      };
    },
  },
  {
    name: "children of one run",
    unit: "child",
    units: 8_000,
    workflows: [
      { name: "child", steps: [{ uses: "work" }] },
      {
        name: "parent",
        steps: { each: { ...EVERY, steps: [{ uses: "workflow", with: { name: "child", input: { index: "{{ index }}" } } }] } },
      },
    ],
    prepare: async (stepwell, units) => async () => succeeded(stepwell, await stepwell.start("parent", { items: list(units) })),
  },
  {
    name: "items of one run",
    unit: "item",
    units: 40_000,
    workflows: [{ name: "items", steps: { each: { foreach: "{{ input.items }}", steps: [{ uses: "work" }] } } }],
    prepare: async (stepwell, units) => async () => succeeded(stepwell, await stepwell.start("items", { items: list(units) })),
  },
];

/** The scenarios in both sizes, after one warm-up in the small one, each with a file of its own. */
export async function measureGrowth(
  directory: string,
  from: Source,
  scale: number,
): Promise<{ readonly samples: readonly GrowthSample[] }> {
  const samples: GrowthSample[] = [];
  for (const [index, scenario] of SCENARIOS.entries()) {
    const units = Math.ceil(scenario.units * scale);
    const measure = async (size: string, count: number): Promise<number> => {
      const folder = join(directory, `${index}-${size}`);
      mkdirSync(folder);
      return microsOf(scenario, folder, from, count);
    };
    await measure("warm-up", units / TIMES_LARGER);
    const smallMicros = await measure("small", units / TIMES_LARGER);
    const largeMicros = await measure("large", units);
    samples.push({ scenario: scenario.name, unit: scenario.unit, units, smallMicros, largeMicros });
  }
  return { samples };
}

async function microsOf({ workflows, prepare }: Scenario, directory: string, from: Source, units: number): Promise<number> {
  const { stepwell } = await openStepwell({ directory, database: null }, from);
  for (const workflow of workflows) await stepwell.register(workflow);
  const work = await prepare(stepwell, units);
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  await stepwell.stop();
  return (user + system) / units;
}

/** The id of a run that has left memory to wait. */
async function parked(stepwell: Stepwell, workflow: string, input: object): Promise<string> {
  const id = await stepwell.start(workflow, input);
  while ((await stepwell.list({ status: "SUSPENDED" })).runs.length === 0) await sleep(20);
  return id;
}

/** The next one comes when this one has had its effect and the run may have left memory again. */
async function answer(stepwell: Stepwell, id: string, name: string): Promise<void> {
  await stepwell.signal(id, name);
  await sleep(BETWEEN_ANSWERS_MS);
}

async function succeeded(stepwell: Stepwell, id: string): Promise<void> {
  const { status, error } = await stepwell.result(id);
  if (status !== "SUCCEEDED") throw new Error(`run ${id} ended ${status}: ${JSON.stringify(error)}`);
}
