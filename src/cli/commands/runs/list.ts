import { Option } from "commander";
import { summaryOf } from "../../../engine/run-results.ts";
import type { RunRow } from "../../../ledger/rows.ts";
import { formatDuration } from "../../../model/duration.ts";
import { RUN_STATUSES, type RunStatus } from "../../../model/status.ts";
import { type Define, LEDGER_FLAG, wholeNumber } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { dateAndTime, table } from "../../layout.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import { colourOf } from "../../run-report.ts";
import type { Output } from "../../terminal.ts";

interface Flags {
  readonly status?: RunStatus;
  readonly workflow?: string;
  readonly limit: number;
  readonly ledger: string;
  readonly json?: true;
}

export const defineList: Define = (command, { terminal, finish }) => {
  command
    .addOption(new Option("--status <status>", "only runs in this status").choices(RUN_STATUSES))
    .option("--workflow <name>", "only runs of this workflow")
    .option("--limit <count>", "how many", wholeNumber(1), 20)
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .action(async (flags: Flags) => {
      await list(flags, terminal.out);
      finish(EXIT.succeeded);
    });
};

async function list({ status, workflow, limit, ledger: url, json }: Flags, out: Output): Promise<void> {
  await using ledger = await openExistingLedger(url);
  const { runs, next } = await ledger.listRuns({
    tenant: TENANT,
    limit,
    ...(status !== undefined && { status }),
    ...(workflow !== undefined && { workflow }),
  });
  if (json === true) {
    out.line(JSON.stringify({ runs: runs.map(summaryOf) }, null, 2));
    return;
  }
  if (runs.length === 0) out.line("No runs");
  for (const line of lines(runs, out)) out.line(line);
  if (next !== undefined) out.line(out.paint.dim(`older runs are not shown; --limit ${limit * 5} shows more`));
}

function lines(runs: readonly RunRow[], { paint }: Output): readonly string[] {
  if (runs.length === 0) return [];
  const columns = [{ title: "RUN" }, { title: "STATUS" }, { title: "WORKFLOW", maxWidth: 40 }, { title: "CREATED" }, { title: "TOOK" }];
  const [titles = "", ...rows] = table(
    columns,
    runs.map((run) => [
      run.publicId,
      run.reason === null ? run.status : `${run.status} (${run.reason})`,
      run.workflow,
      dateAndTime(run.createdAt),
      run.startedAt === null || run.finishedAt === null ? "" : formatDuration(run.finishedAt - run.startedAt),
    ]),
  );
  return [
    paint.dim(titles),
    ...rows.map((row, index) => {
      const status = runs[index]?.status;
      return status === undefined ? row : row.replace(status, colourOf(status, paint)(status));
    }),
  ];
}
