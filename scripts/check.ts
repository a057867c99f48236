// `npm run check`: everything that must hold before a change is finished, the same here and in CI.
// --only NAME and --skip NAME choose stages; both may be repeated.
import { isatty } from "node:tty";
import { parseArgs } from "node:util";
import pc from "picocolors";
import { formatDuration } from "../src/model/duration.ts";
import { runTool } from "./tool.ts";

interface Stage {
  readonly name: string;
  /** Run one after the other until one fails. */
  readonly commands: readonly (readonly string[])[];
}

interface StageResult {
  readonly stage: Stage;
  readonly passed: boolean;
  readonly output: string;
  readonly durationMs: number;
}

/** Their own tests show every line and branch of them; the numbers are in `vitest.config.ts`. Counting makes tests slow, so only these. */
const PURE_ROOMS = ["model", "expressions", "operators", "workflow", "scheduler"].map((room) => `src/${room}/`);

/** Stages of one round do not need each other and run two at a time; rounds follow each other. */
const ROUNDS: readonly (readonly Stage[])[] = [
  [
    { name: "format", commands: [["biome", "check", "--error-on-warnings", "."]] },
    {
      name: "types",
      commands: [
        ["tsc", "-p", "tsconfig.json"],
        ["tsc", "-p", "tsconfig.pure.json"],
      ],
    },
    { name: "lint", commands: [["oxlint", "--type-aware", "--deny-warnings"]] },
    {
      name: "architecture",
      commands: [["depcruise", "--config", ".dependency-cruiser.cjs", "src", "test", "scripts", "bench", "examples"]],
    },
    {
      name: "dead-code",
      commands: [
        ["knip", "--no-progress"],
        ["knip", "--no-progress", "--production", "--include", "files,dependencies"],
      ],
    },
    { name: "copies", commands: [["jscpd", "--config", ".jscpd.json", "--fail-on-empty", "src"]] },
  ],
  // alone, because tests measure time and the machine may have two cores
  [{ name: "tests", commands: [["node", "scripts/test.ts"]] }],
  [{ name: "coverage", commands: [["vitest", "run", "--coverage.enabled", "--testTimeout", "240000", ...PURE_ROOMS]] }],
  [{ name: "build", commands: [["node", "scripts/build.ts"]] }],
  [
    {
      name: "package",
      commands: [
        ["publint", "run", "--strict", "--pack", "false"],
        ["node", "scripts/package-shape.ts"],
      ],
    },
  ],
];
const STAGES_AT_ONCE = 2;

const colors = pc.createColors(isatty(1) && process.env["NO_COLOR"] === undefined);

async function runStage(stage: Stage): Promise<StageResult> {
  const startedAt = performance.now();
  let output = "";
  for (const command of stage.commands) {
    const result = await runTool(command, "collect");
    output = result.output;
    if (result.exitCode !== 0) return { stage, passed: false, output, durationMs: performance.now() - startedAt };
  }
  return { stage, passed: true, output, durationMs: performance.now() - startedAt };
}

/** Runs the stages of a round two at a time and hands the results on in the order of the stages. */
async function runRound(stages: readonly Stage[], report: (result: StageResult) => void): Promise<void> {
  const running: Promise<StageResult>[] = [];
  for (const stage of stages) {
    const predecessor = running.at(-STAGES_AT_ONCE);
    if (predecessor !== undefined) report(await predecessor);
    running.push(runStage(stage));
  }
  for (const result of running.slice(-STAGES_AT_ONCE)) report(await result);
}

function printResult({ stage, passed, output, durationMs }: StageResult): void {
  const mark = passed ? colors.green("ok    ") : colors.red("FAILED");
  console.log(`${stage.name.padEnd(14)}${mark}${formatDuration(durationMs).padStart(11)}`);
  if (!passed) console.log(`\n${output.trimEnd()}\n`);
}

interface Choice {
  readonly only: readonly string[] | undefined;
  readonly skip: readonly string[];
}

function readArguments(args: readonly string[]): Choice | undefined {
  try {
    const list = { type: "string", multiple: true } as const;
    const { only, skip = [] } = parseArgs({ args: [...args], options: { only: list, skip: list } }).values;
    return { only, skip };
  } catch {
    return undefined;
  }
}

/** The rounds that are left after `--only` and `--skip`; undefined when an argument is not understood. */
function chooseRounds(args: readonly string[]): readonly (readonly Stage[])[] | undefined {
  const choice = readArguments(args);
  if (choice === undefined) return undefined;
  const { only, skip } = choice;
  const names = ROUNDS.flat().map((stage) => stage.name);
  if ([...(only ?? []), ...skip].some((name) => !names.includes(name))) return undefined;
  return ROUNDS.map((round) => round.filter(({ name }) => (only?.includes(name) ?? true) && !skip.includes(name)));
}

const rounds = chooseRounds(process.argv.slice(2));
if (rounds === undefined) {
  const names = ROUNDS.flat().map((stage) => stage.name);
  console.error(`usage: npm run check -- [--only STAGE]... [--skip STAGE]...\nstages: ${names.join(", ")}`);
  process.exitCode = 2;
} else {
  const failed: string[] = [];
  for (const round of rounds) {
    await runRound(round, (result) => {
      printResult(result);
      if (!result.passed) failed.push(result.stage.name);
    });
  }
  if (failed.length > 0) console.log(`failed: ${failed.join(", ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
