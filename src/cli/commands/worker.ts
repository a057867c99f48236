import { type Define, OPERATORS_FLAG } from "../command.ts";
import { driveRuns } from "../drive-runs.ts";
import { loadOperatorsFile } from "../load-definition.ts";
import { problemLines, refuseProblems } from "../report-error.ts";
import { readWorkerSettings, type WorkerFlags } from "../worker-settings.ts";

export const defineWorker: Define = (command, { terminal, finish }) => {
  command
    .option("--ledger <url>", "the ledger whose runs it drives: postgres://…, or sqlite:PATH for the only engine of a file")
    .option(...OPERATORS_FLAG)
    .option("--concurrency <count>", "runs that it drives, and attempts that execute, at once")
    .option("--lease <duration>", "how long its runs stay its own while it is not heard of (PostgreSQL); default 10s")
    .option("--grace <duration>", "how long running attempts may take to end when it is stopped; default 10s")
    .option("--config <file>", "a YAML file with ledger, operators, concurrency, lease, grace, retention")
    .option("--retention <policy>", "delete runs so long after their end: 30d, or SUCCEEDED=7d,FAILED=90d; default never")
    .option("--json", "print one JSON object on a line for each event")
    .addHelpText(
      "after",
      `
Drives runs until SIGTERM or Ctrl-C, then lets running attempts end, hands back what is unfinished and ends with 0; told again, it ends
at once. Flags count before the environment, the environment before the file. There is no default ledger.
Environment: STEPWELL_LEDGER or STEPWELL_DATABASE_URL, STEPWELL_OPERATORS, STEPWELL_CONCURRENCY, STEPWELL_LEASE, STEPWELL_GRACE, STEPWELL_RETENTION,
STEPWELL_CONFIG.

Examples:
  $ stepwell worker --ledger postgres://stepwell:secret@db.internal/stepwell --operators operators.ts
  $ stepwell worker --config stepwell.yaml --concurrency 50`,
    )
    .action(async (flags: WorkerFlags) => {
      const { settings, problems } = await readWorkerSettings(flags, process.env);
      for (const problem of problems) for (const line of problemLines(problem, terminal.err.paint)) terminal.err.line(line);
      refuseProblems(problems, "The configuration", "no worker was started");
      const operators = await loadOperatorsFile(settings.operators);
      finish(await driveRuns(settings, operators, terminal, flags.json === true));
    });
};
