import { peakRssMb, startMeter, type Usage } from "./meter.ts";
import { openStepwell, type Source } from "./ours.ts";

/** What one process measured with one run over a long list. */
export interface ItemsSample {
  readonly items: number;
  readonly itemsPerSecond: number;
  readonly usage: Usage;
  readonly peakRssMb: number;
}

const WARM_UP_ITEMS = 2_000;

/** One trivial step for each item of a list, in one run. */
export async function measureItems(directory: string, from: Source, items: number): Promise<ItemsSample> {
  const { stepwell } = await openStepwell({ directory, database: null }, from);
  await stepwell.register({ name: "items", steps: [{ id: "each", foreach: "{{ input.items }}", steps: [{ uses: "work" }] }] });
  const run = async (length: number): Promise<void> => {
    const id = await stepwell.start("items", { items: Array.from({ length }, (_, index) => index) });
    const { status, error } = await stepwell.result(id);
    if (status !== "SUCCEEDED") throw new Error(`the run ended ${status}: ${JSON.stringify(error)}`);
  };
  await run(WARM_UP_ITEMS);
  const stop = await startMeter({ directory, database: null });
  await run(items);
  const usage = await stop();
  const peak = peakRssMb();
  await stepwell.stop();
  return { items, itemsPerSecond: items / usage.seconds, usage, peakRssMb: peak };
}
