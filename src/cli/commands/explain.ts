import type { RunExplanation } from "../../engine/explain/explanation.ts";
import { readExplanation } from "../../engine/explain/read-explanation.ts";
import { liveEngines } from "../../ledger/url.ts";
import { isTerminalRun } from "../../model/status.ts";
import { type Define, LEDGER_FLAG } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { findRun } from "../find-run.ts";
import { fit, plural, table } from "../layout.ts";
import { openExistingLedger, TENANT } from "../open-ledger.ts";
import type { Terminal } from "../terminal.ts";

interface Flags {
  readonly ledger: string;
  readonly json?: true;
}

/** A person reads no more; `--json` gives all. */
const SHOWN_STEPS = 100;

export const defineExplain: Define = (command, { terminal, finish }) => {
  command
    .argument("<run>", "a run id, or as much of its beginning as is unique")
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Says in one sentence what each unfinished step of a run is waiting for.

Examples:
  $ stepwell explain 01a1fa77`,
    )
    .action(async (idOrPrefix: string, flags: Flags) => {
      await using ledger = await openExistingLedger(flags.ledger);
      const { publicId } = await findRun(ledger, idOrPrefix);
      const explanation = await readExplanation(ledger, TENANT, publicId);
      if (flags.json === true) terminal.out.line(JSON.stringify(explanation, null, 2));
      else {
        print(explanation, terminal);
        const isIdle = !isTerminalRun(explanation.status) && (await liveEngines(flags.ledger)).length === 0;
        if (isIdle) terminal.out.line(terminal.out.paint.dim("\nNo engine is at work on this ledger; nothing goes on before one is"));
      }
      finish(EXIT.succeeded);
    });
};

function print({ id, workflow, says, steps, more }: RunExplanation, { out, size }: Terminal): void {
  const { columns } = size();
  out.line(`${out.paint.bold(workflow)}  ${out.paint.dim(id)}`);
  out.line(fit(says, columns));
  const shown = steps.slice(0, SHOWN_STEPS);
  if (shown.length > 0) out.line("");
  const rows = shown.map(({ step, says: why }) => [step, why]);
  for (const line of table([{ title: "", maxWidth: 40 }, { title: "" }], rows)) out.line(line);
  const hidden = steps.length - shown.length + more;
  if (hidden > 0) out.line(out.paint.dim(`… and ${plural(hidden, "step")} more`));
}
