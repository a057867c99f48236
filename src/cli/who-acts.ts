import { liveOwnerOf } from "../ledger/url.ts";

/**
 * What becomes of something that was written into a ledger.
 *
 * @param does what an engine that is at work does with it, for example `ends the run`
 */
export async function whoActs(url: string, does: string): Promise<string> {
  const owner = await liveOwnerOf(url);
  return owner === undefined
    ? "no engine is at work on this ledger, so it takes effect when one is"
    : `the engine (process ${owner.pid} on ${owner.host}) ${does}`;
}
