import { Command, CommanderError } from "commander";
import { VERSION } from "../main/version.ts";
import { StepwellError } from "../model/errors.ts";
import type { Define, Session } from "./command.ts";
import { EXIT, type ExitCode, exitCodeOfError } from "./exit-codes.ts";
import { reportError } from "./report-error.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

interface Entry {
  readonly name: string;
  readonly summary: string;
  /** A command's code is loaded when it is called: `validate` must not pay for the engine. */
  readonly load: () => Promise<Define>;
}

const COMMANDS: readonly Entry[] = [
  { name: "run", summary: "run a workflow durably and follow it", load: async () => (await import("./commands/run.ts")).defineRun },
  {
    name: "validate",
    summary: "check definitions and show every problem at once",
    load: async () => (await import("./commands/validate.ts")).defineValidate,
  },
  { name: "graph", summary: "draw a workflow", load: async () => (await import("./commands/graph.ts")).defineGraph },
  { name: "runs", summary: "list, show and steer runs", load: async () => (await import("./commands/runs/runs.ts")).defineRuns },
  {
    name: "tasks",
    summary: "list, show and decide what runs ask of people and remote workers",
    load: async () => (await import("./commands/tasks/tasks.ts")).defineTasks,
  },
  { name: "signal", summary: "send a named signal to a run", load: async () => (await import("./commands/signal.ts")).defineSignal },
  {
    name: "events",
    summary: "publish events that runs wait for",
    load: async () => (await import("./commands/events/events.ts")).defineEvents,
  },
  {
    name: "explain",
    summary: "say what each unfinished step of a run waits for",
    load: async () => (await import("./commands/explain.ts")).defineExplain,
  },
  {
    name: "worker",
    summary: "drive runs of a ledger until it is told to stop",
    load: async () => (await import("./commands/worker.ts")).defineWorker,
  },
  {
    name: "server",
    summary: "listen on a port, and drive runs, until it is told to stop",
    load: async () => (await import("./commands/server.ts")).defineServer,
  },
  {
    name: "routes",
    summary: "say which workers runs and steps go to",
    load: async () => (await import("./commands/routes/routes.ts")).defineRoutes,
  },
  {
    name: "tenants",
    summary: "say what tenants are given of the workers",
    load: async () => (await import("./commands/tenants/tenants.ts")).defineTenants,
  },
  {
    name: "migrate",
    summary: "bring the schema of a ledger up to date",
    load: async () => (await import("./commands/migrate.ts")).defineMigrate,
  },
  {
    name: "doctor",
    summary: "check this machine and the ledger",
    load: async () => (await import("./commands/doctor.ts")).defineDoctor,
  },
];

const EXAMPLES = `
Examples:
  $ stepwell validate order.yaml
  $ stepwell run order.yaml --operators operators.ts --input @order.json
  $ stepwell runs list --status FAILED
  $ stepwell runs show 01a1fa77
  $ stepwell tasks approve 01a1fa88 --as ana

Exit codes: 0 succeeded, 1 failed, 2 wrong usage or invalid definition, 3 cancelled, 4 suspended until somebody outside acts.`;

/**
 * Runs one command and resolves with the exit code; never rejects.
 *
 * @param args what follows the program's name
 */
export async function main(args: readonly string[], terminal: Terminal = processTerminal()): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.succeeded;
  const session: Session = {
    terminal,
    finish: (code) => {
      exitCode = code;
    },
  };
  const program = new Command();
  try {
    await describe(program, args, session);
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      reportError(terminal.err, error);
      return exitCodeOfError(error);
    }
    if (error.exitCode === 0) return EXIT.succeeded;
    if (error.code !== "commander.help") reportError(terminal.err, usageError(error, program, args));
    return EXIT.usage;
  }
}

async function describe(program: Command, args: readonly string[], session: Session): Promise<void> {
  const { terminal } = session;
  program
    .name("stepwell")
    .description("Durable workflows: what a run has finished stays finished.")
    .version(VERSION)
    .helpCommand("help [command]", "show what a command takes")
    .addHelpText("after", EXAMPLES)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      // said once, by `main`, in the form of every other error
      outputError: () => undefined,
    });
  const called = new Set(args.slice(0, 2));
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).description(summary);
    if (called.has(name)) (await load())(command, session);
  }
}

function usageError(error: CommanderError, program: Command, args: readonly string[]): StepwellError {
  const message = error.message.replace(/^error: /, "");
  const names = ["stepwell"];
  let reached: Command | undefined = program;
  for (const word of args) {
    reached = reached.commands.find((command) => command.name() === word);
    if (reached === undefined) break;
    names.push(word);
  }
  return new StepwellError("USAGE", message, { hint: `See ${names.join(" ")} --help.` });
}
