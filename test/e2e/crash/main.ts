// `npm run chaos:crash -- --schedules 2000 --seed 7`: kills engines at random commit points, in two processes side by side.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { HitTable, withPlace } from "./matrix.ts";
import { CrashPlace } from "./protocol.ts";
import { type Finding, type Place, runSchedule } from "./run-schedule.ts";
import { type Passages, randomSchedule, undisturbed } from "./schedule.ts";

const PROCESSES = 2;
const REPORT_EVERY = 50;

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "100" },
    seed: { type: "string" },
    worker: { type: "string" },
    "stop-at-failure": { type: "boolean", default: false },
  },
});
const schedules = Number(values.schedules);
const seed = Number(values.seed ?? Date.now() % 1_000_000);

const Report = z.object({
  seed: z.number(),
  crashes: z.array(CrashPlace),
  runs: z.number(),
  effects: z.number(),
  calls: z.number(),
  violations: z.array(z.object({ wrong: z.enum(["lost", "repeated", "early", "stale", "other"]), what: z.string() })),
});
type Report = z.infer<typeof Report>;

/** Every schedule whose seed falls to this process; a line of JSON for each. */
async function work(which: number): Promise<void> {
  await withPlace(async (place) => {
    await passagesOf(true, place);
    const passages = await passagesOf(false, place);
    for (let index = which; index < schedules; index += PROCESSES) {
      const finding: Finding = await runSchedule(randomSchedule(seed + index, passages), place);
      process.stdout.write(`${JSON.stringify({ ...finding, passages: undefined })}\n`);
    }
  });
}

/** Of an engine that nothing kills. */
async function passagesOf(areCommitsSlow: boolean, place: Place): Promise<Passages> {
  const { passages, violations } = await runSchedule(undisturbed(seed + schedules, areCommitsSlow), place);
  if (violations.length > 0) throw new Error(`without a crash: ${JSON.stringify(violations)}`);
  return passages;
}

class Sum {
  readonly table = new HitTable();
  done = 0;
  #crashes = 0;
  #runs = 0;
  #effects = 0;
  #calls = 0;
  readonly #wrong = { lost: 0, repeated: 0, early: 0, stale: 0, other: 0 };
  readonly #startedAt = performance.now();

  add({ seed: failed, crashes, runs, effects, calls, violations }: Report): void {
    this.done += 1;
    this.table.add(crashes);
    this.#crashes += crashes.length;
    this.#runs += runs;
    this.#effects += effects;
    this.#calls += calls;
    for (const { wrong, what } of violations) {
      this.#wrong[wrong] += 1;
      console.log(
        `seed ${failed}: ${wrong}: ${what} (crashes ${crashes.map(({ point, side, nth }) => `${point}.${side} ${nth}`).join(", ")})`,
      );
    }
  }

  get hasFailed(): boolean {
    return Object.values(this.#wrong).some((count) => count > 0);
  }

  toString(): string {
    const { lost, repeated, early, other } = this.#wrong;
    const seconds = Math.round((performance.now() - this.#startedAt) / 1_000);
    const size = `${this.done} schedules, ${this.#crashes} crashes, ${this.#runs} runs, ${this.#effects} effects by ${this.#calls} calls`;
    return `${size}: ${lost} lost, ${repeated} repeated, ${early} early, ${other} otherwise wrong; ${seconds} s, seed ${seed}`;
  }
}

async function listen(which: number, sum: Sum, processes: { kill(): void }[]): Promise<number> {
  const args = ["--schedules", String(schedules), "--seed", String(seed), "--worker", String(which)];
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  processes.push({ kill: () => void child.kill("SIGTERM") });
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 1)));
  for await (const line of createInterface({ input: child.stdout })) {
    sum.add(Report.parse(JSON.parse(line)));
    if (sum.done % REPORT_EVERY === 0) console.log(String(sum));
    if (sum.hasFailed && values["stop-at-failure"]) for (const each of processes) each.kill();
  }
  return ended;
}

async function lead(): Promise<void> {
  console.log(`seed ${seed}`);
  const sum = new Sum();
  const processes: { kill(): void }[] = [];
  const codes = await Promise.all(Array.from({ length: PROCESSES }, (_, which) => listen(which, sum, processes)));
  console.log(String(sum.table));
  console.log(String(sum));
  process.exitCode = sum.hasFailed || codes.some((code) => code !== 0) ? 1 : 0;
}

await (values.worker === undefined ? lead() : work(Number(values.worker)));
