import { Queue as Jobs, Worker } from "bullmq";
import { Redis } from "ioredis";
import { openBullQueue } from "../../src/queue/bullmq/bull-queue.ts";
import { redisPlaceOf } from "../../src/queue/bullmq/place.ts";
import { query } from "../../test/fixtures/postgres/new-database.ts";
import type { Place } from "../contestant.ts";

const LOOK_EVERY_MS = 50;
const BATCH = 1_000;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));

/** Gives each run that waits in a ledger its job. */
export async function announceAll({ database }: Place, url: string): Promise<object> {
  const rows = await query(database ?? "", "SELECT public_id, tenant, version_id, worker_group FROM stepwell.run WHERE status = 'QUEUED'");
  const queue = await openBullQueue({ url });
  const client = new Redis(redisPlaceOf(url).url);
  const jobs = new Jobs("workflow_runs", { connection: client, prefix: redisPlaceOf(url).prefix });
  for (let at = 0; at < rows.length; at += BATCH) {
    const batch = rows.slice(at, at + BATCH);
    for (const { public_id: publicId, tenant, version_id: versionId, worker_group: workerGroup } of batch) {
      queue.announce({
        publicId: String(publicId),
        tenant: String(tenant),
        versionId: Number(versionId),
        workerGroup: String(workerGroup),
      });
    }
    while ((await jobs.getJobCountByTypes("waiting")) < at + batch.length) await pause();
  }
  await Promise.all([queue.close(), jobs.close()]);
  client.disconnect();
  return { runs: rows.length };
}

/** BullMQ alone: jobs per second that do nothing. */
export async function emptyJobs(url: string, count: number, concurrency: number): Promise<object> {
  const { prefix, url: server } = redisPlaceOf(url);
  const clients = [new Redis(server), new Redis(server, { maxRetriesPerRequest: null })] as const;
  const jobs = new Jobs("empty", { connection: clients[0], prefix });
  const job = { name: "empty", data: { n: 1 }, opts: { removeOnComplete: true } };
  for (let added = 0; added < count; added += BATCH) await jobs.addBulk(Array.from({ length: Math.min(BATCH, count - added) }, () => job));
  const over = Promise.withResolvers<number>();
  const begunAt = performance.now();
  let done = 0;
  const worker = new Worker("empty", () => Promise.resolve(), { connection: clients[1], prefix, concurrency });
  worker.on("completed", () => {
    done += 1;
    if (done === count) over.resolve(performance.now());
  });
  const jobsPerSecond = (count / ((await over.promise) - begunAt)) * 1_000;
  await Promise.all([worker.close(true), jobs.close()]);
  for (const client of clients) client.disconnect();
  return { jobsPerSecond };
}
