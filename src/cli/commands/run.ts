import { collectVariable, type Define, LEDGER_FLAG, OPERATORS_FLAG, QUEUE_FLAG, VAR_FLAG } from "../command.ts";
import { goOnCommand, programName } from "../go-on.ts";
import { leaveRun } from "../leave-run.ts";
import { type RunRequest, runWorkflow } from "../run-workflow.ts";

type Flags = Omit<RunRequest, "file" | "goOnWith"> & { readonly detach?: true; readonly queue: string };

export const defineRun: Define = (command, { terminal, finish }) => {
  command
    .argument("<file>", "a definition in YAML or JSON")
    .option("--input <json>", "the input: JSON, @file, or - for the standard input", undefined)
    .option(...VAR_FLAG, collectVariable)
    .option(...OPERATORS_FLAG)
    .addOption(LEDGER_FLAG)
    .option("--key <key>", "idempotency key: the same key is the same run, however often it is started")
    .option("--resume", "go on with the newest unfinished run of this workflow instead of starting one, if there is one")
    .option("--detach", "leave the run to the engines that are at work on the ledger, now or later, and end at once")
    .addOption(QUEUE_FLAG)
    .option("--json", "print one JSON object with the run and its steps, and nothing else")
    .addHelpText(
      "after",
      `
Every step is durable before the next begins: after a crash, or Ctrl-C, --resume goes on where the run was.
While this command runs it drives all unfinished runs of its ledger.

Examples:
  $ stepwell run order.yaml --input '{"orderId": "SO-1041"}'
  $ stepwell run order.yaml --operators operators.ts --input @order.json --key SO-1041
  $ cat order.json | stepwell run order.yaml --input - --json
  $ stepwell run order.yaml --resume
  $ stepwell run order.yaml --detach --ledger postgres://stepwell:secret@db.internal/stepwell

Exit codes: 0 succeeded, 1 failed, 2 wrong usage or invalid definition (nothing is written), 3 cancelled,
4 suspended until somebody outside acts, 130 stopped by Ctrl-C.`,
    )
    .action(async (file: string, flags: Flags) => {
      if (flags.detach === true) {
        finish(await leaveRun({ ...flags, file }, terminal));
        return;
      }
      const goOnWith = goOnCommand(process.argv.slice(2), programName(process.argv[1] ?? "", process.cwd()));
      finish(await runWorkflow({ ...flags, file, goOnWith }, terminal));
    });
};
