import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "./contestant.ts";
import type { ServerUsage } from "./postgres/server-meter.ts";

/** What a stretch of work has used; null where the system does not tell. */
export interface Usage {
  readonly seconds: number;
  /** User and system time of this process, all threads. */
  readonly cpuSeconds: number;
  /** Processor cores that other processes kept busy meanwhile: the measurement was alone when this is near 0. */
  readonly otherCores: number | null;
  /** Flush requests that the disk got, from whoever: each fsync or fdatasync causes one or two. */
  readonly diskFlushes: number | null;
  /** Bytes that this process gave to the storage layer. */
  readonly writtenBytes: number | null;
  /** Of the PostgreSQL that it worked with; null without one. */
  readonly server: ServerUsage | null;
}

interface Reading {
  readonly at: number;
  readonly cpu: NodeJS.CpuUsage;
  readonly machine: { readonly busy: number; readonly total: number } | null;
  readonly diskFlushes: number | null;
  readonly writtenBytes: number | null;
}

/** Starts to measure this process, the disk that holds the directory and a PostgreSQL server; call the result to end it. */
export async function startMeter({ directory, database }: Place): Promise<() => Promise<Usage>> {
  const device = deviceOf(directory);
  const stopServer = database === null ? undefined : await (await import("./postgres/server-meter.ts")).startServerMeter(database);
  const before = read(device);
  return async () => {
    const after = read(device);
    const server = (await stopServer?.()) ?? null;
    const seconds = (after.at - before.at) / 1_000;
    const cpu = process.cpuUsage(before.cpu);
    const cpuSeconds = (cpu.user + cpu.system) / 1e6;
    return {
      seconds,
      cpuSeconds,
      otherCores: otherCores(before, after, (cpuSeconds + (server?.cpuSeconds ?? 0)) / seconds),
      diskFlushes: difference(before.diskFlushes, after.diskFlushes),
      writtenBytes: difference(before.writtenBytes, after.writtenBytes),
      server,
    };
  };
}

export function peakRssMb(): number {
  return process.resourceUsage().maxRSS / 1_024;
}

function read(device: string): Reading {
  return {
    at: performance.now(),
    cpu: process.cpuUsage(),
    machine: machineTime(),
    diskFlushes: flushesOf(device),
    writtenBytes: matchedNumber("/proc/self/io", /^write_bytes: (\d+)$/m),
  };
}

function otherCores(before: Reading, after: Reading, ownCores: number): number | null {
  if (before.machine === null || after.machine === null) return null;
  const busy = after.machine.busy - before.machine.busy;
  const total = after.machine.total - before.machine.total;
  const cores = matchAll("/proc/stat", /^cpu\d+ /gm);
  return total === 0 ? null : Math.max(0, (busy / total) * cores - ownCores);
}

/** Ticks of all cores since the start of the machine, from the first line of /proc/stat. */
function machineTime(): Reading["machine"] {
  const line = /^cpu +(.+)$/m.exec(textOf("/proc/stat"))?.[1];
  if (line === undefined) return null;
  const ticks = line.split(" ").slice(0, 8).map(Number);
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const [, , , idle = 0, ioWait = 0] = ticks;
  return { busy: total - idle - ioWait, total };
}

/** `major:minor` of the disk that holds the directory, or of the whole disk when it is a partition. */
function deviceOf(directory: string): string {
  const { dev } = statSync(directory);
  const own = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const folder = join("/sys/dev/block", own);
  const isPartition = existsSync(join(folder, "partition"));
  return isPartition ? textOf(join(folder, "..", "dev")).trim() : own;
}

/** The 16th statistic of the disk, which Linux has since 5.5; null for a file system without a disk of its own. */
function flushesOf(device: string): number | null {
  const [major, minor] = device.split(":");
  return matchedNumber("/proc/diskstats", new RegExp(`^ *${major} +${minor} \\S+(?: \\d+){15} (\\d+)`, "m"));
}

function matchedNumber(file: string, pattern: RegExp): number | null {
  const digits = pattern.exec(textOf(file))?.[1];
  return digits === undefined ? null : Number(digits);
}

function matchAll(file: string, pattern: RegExp): number {
  return textOf(file).match(pattern)?.length ?? 0;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function difference(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before;
}
