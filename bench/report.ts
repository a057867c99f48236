import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Usage } from "./meter.ts";
import type { Spread } from "./statistics.ts";

/** One line of the table. */
export interface Row {
  readonly work: string;
  readonly unit: string;
  readonly ours: Spread;
  /** The limit that targets are set against: `ref` with combined commits. For W13 it is `node -e 0`, for W14 W1 with the same input. */
  readonly limit: Spread | null;
  /** Of ours to the limit, each pair of neighbouring measurements for itself, then the median. */
  readonly ratio: number | null;
  /** The same against the limit that also writes RUNNING. */
  readonly ratioToRunning: number | null;
  readonly target: Target | null;
  readonly resources: Resources | null;
}

/** What must hold: for the ratio, or for the figure itself. */
export interface Target {
  readonly of: "ratio" | "figure";
  readonly bound: "at least" | "at most";
  readonly value: number;
}

/** What ours used: the median of its repetitions. */
export interface Resources {
  readonly cores: number;
  /** Of the PostgreSQL server. */
  readonly serverCores: number | null;
  readonly otherCores: number | null;
  readonly commitsPerRun: number | null;
  readonly flushesPerRun: number | null;
  /** By the process into its file, or by the server into its log. */
  readonly writtenKbPerRun: number | null;
  readonly peakRssMb: number;
}

const HEADER = [
  ...["work", "unit", "ours", "(lowest–highest)", "limit", "ratio", "of running", "target", "met"],
  ...["cores", "server", "others", "commits/run", "flushes/run", "KB/run", "peak MB"],
];

export function isMet({ target, ratio, ours }: Row): boolean | null {
  if (target === null) return null;
  const figure = target.of === "ratio" ? ratio : ours.median;
  if (figure === null) return null;
  return target.bound === "at least" ? figure >= target.value : figure <= target.value;
}

export function formatRows(rows: readonly Row[]): string {
  return formatTable(HEADER, rows.map(cellsOf));
}

/** Columns as wide as their widest cell; the first two to the left, figures to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(header), line(widths.map((width) => "─".repeat(width))), ...rows.map(line)].join("\n");
}

export function formatFacts(facts: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  return Object.entries(facts)
    .map(([name, value]) => `${name.padEnd(width)}  ${value}`)
    .join("\n");
}

export function writeJson(file: string, report: object): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

/** Three significant digits, whole from a hundred on, thousands apart. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The resources of one unit of work, from what a whole measurement used. */
export function resourcesOf(usage: Usage, runs: number, peakRssMb: number): Resources {
  const perRun = (total: number | null): number | null => (total === null ? null : total / runs);
  const { server } = usage;
  const bytes = perRun(server === null ? usage.writtenBytes : server.walBytes);
  const serverSeconds = server?.cpuSeconds ?? null;
  return {
    cores: usage.cpuSeconds / usage.seconds,
    serverCores: serverSeconds === null ? null : serverSeconds / usage.seconds,
    otherCores: usage.otherCores,
    commitsPerRun: perRun(server?.commits ?? null),
    flushesPerRun: perRun(usage.diskFlushes),
    writtenKbPerRun: bytes === null ? null : bytes / 1_024,
    peakRssMb,
  };
}

function cellsOf(row: Row): string[] {
  const { work, unit, ours, limit, ratio, ratioToRunning, target, resources } = row;
  const met = isMet(row);
  return [
    work,
    unit,
    formatNumber(ours.median),
    `(${formatNumber(ours.lowest)}–${formatNumber(ours.highest)})`,
    optional(limit?.median),
    optional(ratio),
    optional(ratioToRunning),
    target === null ? "" : `${target.of === "ratio" ? "ratio " : ""}${target.bound === "at least" ? "≥" : "≤"} ${target.value}`,
    met === null ? "" : met ? "yes" : "NO",
    optional(resources?.cores),
    optional(resources?.serverCores),
    optional(resources?.otherCores),
    optional(resources?.commitsPerRun),
    optional(resources?.flushesPerRun),
    optional(resources?.writtenKbPerRun),
    optional(resources?.peakRssMb),
  ];
}

function optional(value: number | null | undefined): string {
  return value === null || value === undefined ? "" : formatNumber(value);
}
