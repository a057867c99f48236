import type { TaskOutcome, Tasks } from "../../../src/ledger/port.ts";
import type { InboxRow, TaskRow } from "../../../src/ledger/rows.ts";
import type { Channel } from "./channel.ts";

/** The tasks of the ledger, behind a channel. `arrived` hears what was put into inboxes. */
export function simTasks(channel: Channel, tasks: Tasks, arrived: (rows: readonly InboxRow[]) => void): Tasks {
  const decided = (name: string, apply: () => Promise<TaskOutcome>): Promise<TaskOutcome> =>
    channel.write({ name, points: ["C20"], answers: ["C21"], apply, durable: ({ accepted }) => arrived([accepted]) });
  const leased = <T extends TaskRow | readonly TaskRow[]>(name: string, apply: () => Promise<T>): Promise<T> =>
    channel.write({ name, points: [], answers: [], apply, durable: () => undefined });
  return {
    list: (query) => channel.read(() => tasks.list(query)),
    get: (tenant, publicId) => channel.read(() => tasks.get(tenant, publicId)),
    decide: (entry) => decided(`decide ${entry.publicId}`, () => tasks.decide(entry)),
    poll: (request) => leased(`poll ${request.topic}`, () => tasks.poll(request)),
    claim: (lease, worker) => leased(`claim ${lease.publicId}`, () => tasks.claim(lease, worker)),
    heartbeat: (lease) => leased(`heartbeat ${lease.publicId}`, () => tasks.heartbeat(lease)),
    complete: (lease, payload) => decided(`complete ${lease.publicId}`, () => tasks.complete(lease, payload)),
    fail: (lease, failure) => leased(`fail ${lease.publicId}`, () => tasks.fail(lease, failure)),
    restore: (tenant, publicId) => leased(`restore ${publicId}`, () => tasks.restore(tenant, publicId)),
  };
}
