import { liveEngines } from "../ledger/url.ts";

/**
 * What becomes of something that was written into a ledger.
 *
 * @param does what an engine that is at work does with it, for example `ends the run`
 */
export async function whoActs(url: string, does: string): Promise<string> {
  const engines = await liveEngines(url);
  const [engine] = engines;
  if (engine === undefined) return "no engine is at work on this ledger, so it takes effect when one is";
  if (engines.length > 1) return `one of the ${engines.length} engines at work ${does}`;
  return `the engine (process ${engine.pid} on ${engine.host}) ${does}`;
}
