import { isIP } from "node:net";
import { checkLedgerUrl, isSharedLedger, ledgerFile, withoutPassword } from "../../ledger/url.ts";
import { parseDuration } from "../../model/duration.ts";
import { StepwellError } from "../../model/errors.ts";
import { checkQueueUrl, queueName } from "../../queue/url.ts";

/** What values of one sort look like, wherever they are said: as text in a flag or a variable, as text or typed in a file. */
export interface Kind<T> {
  /** As the help of a flag has it: `duration` in `--lease <duration>`. */
  readonly placeholder: string;
  /** For the table of settings, with the unit and the bounds. */
  readonly description: string;
  /** @throws StepwellError whose message and hint never show a secret */
  read(value: unknown): T;
  /** A value as it is shown to people and programs: without secrets, and so that `read` takes it. */
  show(value: T): string | number | boolean;
}

/** @param hint what to do */
export function wrong(message: string, hint?: string): StepwellError {
  return new StepwellError("CONFIG_INVALID", message, hint === undefined ? {} : { hint });
}

const quoted = (value: unknown): string => (typeof value === "object" && value !== null ? "A list or a map" : JSON.stringify(value));

function readText(value: unknown): string {
  if (typeof value !== "string" || value.trim() === "") throw wrong(`${quoted(value)} is not a text`);
  return value;
}

/** A value that may hold a password is never quoted. */
export const LEDGER_URL: Kind<string> = {
  placeholder: "url",
  description: "`postgres://user:password@host:5432/database`, or `sqlite:PATH`",
  read(value) {
    if (typeof value !== "string" || value.trim() === "") throw wrong("The ledger's URL is not a text");
    checkLedgerUrl(value);
    if (!isSharedLedger(value) && ledgerFile(value) === undefined)
      throw wrong("A ledger in memory ends with its process: nobody else would reach its runs", "Name a database or a file.");
    return value;
  },
  show: withoutPassword,
};

export const QUEUE_URL: Kind<string> = {
  placeholder: "queue",
  description: "`ledger`, or `redis://user:password@host:6379/0`, or `rediss://…` for TLS",
  read(value) {
    if (typeof value !== "string" || value.trim() === "") throw wrong("The queue's URL is not a text");
    checkQueueUrl(value);
    return value;
  },
  show: queueName,
};

export const PATH: Kind<string> = { placeholder: "file", description: "path", read: readText, show: (path) => path };

export const FOLDER: Kind<string> = { ...PATH, placeholder: "folder" };

export const HOST: Kind<string> = {
  placeholder: "host",
  description: "IP address or host name",
  read(value) {
    const host = readText(value);
    if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host))
      throw wrong(
        `${quoted(host)} is neither an IP address nor a host name`,
        "Write for example 127.0.0.1, ::1 or localhost, without a port.",
      );
    return host;
  },
  show: (host) => host,
};

/** Names with commas between them, or a list of names. */
export const NAMES: Kind<readonly string[]> = {
  placeholder: "names",
  description: "names, with commas between them",
  read(value) {
    const names = typeof value === "string" ? value.split(",").map((name) => name.trim()) : value;
    if (!Array.isArray(names) || names.length === 0 || !names.every(isName))
      throw wrong(`${quoted(value)} is not a list of names`, "Write for example gpu,default.");
    return names;
  },
  show: (names) => names.join(","),
};

const isName = (name: unknown): name is string => typeof name === "string" && /^[^\s,]+$/.test(name);

export function wholeNumber(least: number, most: number): Kind<number> {
  return {
    placeholder: "count",
    description: `whole number from ${least} to ${most}`,
    read(value) {
      const count = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
      if (typeof count === "number" && Number.isSafeInteger(count) && count >= least && count <= most) return count;
      throw wrong(`${quoted(value)} is not a whole number from ${least} to ${most}`);
    },
    show: (count) => count,
  };
}

/** 0 lets the system choose a free one. */
export const PORT: Kind<number> = { ...wholeNumber(0, 65_535), placeholder: "port" };

/** Milliseconds. */
export function duration(leastMs: number): Kind<number> {
  const least = durationText(leastMs);
  return {
    placeholder: "duration",
    description: leastMs === 0 ? "duration" : `duration of ${least} or more`,
    read(value) {
      if (typeof value !== "string" && typeof value !== "number")
        throw wrong(`${quoted(value)} is not a duration`, "Write a number with a unit, for example 10s.");
      const ms = parseDuration(value);
      if (ms < leastMs) throw wrong(`${durationText(ms)} is too short`, `Write ${least} or more.`);
      return ms;
    },
    show: durationText,
  };
}

const UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
  [1_000, "s"],
] as const;

/** The shortest text that `parseDuration` reads as this. */
function durationText(ms: number): string {
  const [unitMs, unit] = UNITS.find(([each]) => ms >= each && ms % each === 0) ?? [1, "ms"];
  return `${ms / unitMs}${unit}`;
}

const WORDS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ["true", true],
  ["false", false],
  ["1", true],
  ["0", false],
]);

export const YES_OR_NO: Kind<boolean> = {
  placeholder: "",
  description: "`true` or `false`",
  read(value) {
    const found = WORDS.get(typeof value === "string" ? value.toLowerCase() : value);
    if (found === undefined) throw wrong(`${quoted(value)} is neither true nor false`);
    return found;
  },
  show: (isTrue) => isTrue,
};
