import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../../fixtures/postgres/server.ts";
import { EffectSink } from "../crash/sink.ts";
import type { Place } from "./round.ts";
import { NextVersion } from "./versions.ts";

/** Gives `work` a PostgreSQL that may be killed, a sink outside of it, and a version to upgrade to. */
export async function withChaosPlace<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "stepwell-chaos-"));
  try {
    await using server = await startPostgres();
    await using sink = await EffectSink.open(join(directory, "sink.jsonl"));
    using next = new NextVersion();
    return await work({ server, sink, next });
  } finally {
    await rm(directory, { recursive: true });
  }
}
