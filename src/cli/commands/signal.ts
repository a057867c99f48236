import { commandsOver } from "../../engine/commands-over.ts";
import { ACTOR_FLAG, type Define, LEDGER_FLAG } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { findRun } from "../find-run.ts";
import { type JsonFlag, readJsonFlag } from "../json-flag.ts";
import { openExistingLedger, TENANT } from "../open-ledger.ts";
import { whoActs } from "../who-acts.ts";

interface Flags {
  readonly payload?: string;
  readonly id?: string;
  readonly as: string;
  readonly ledger: string;
}

const PAYLOAD: JsonFlag = { flag: "--payload", example: `{"amount": 1299}` };

export const defineSignal: Define = (command, { terminal, finish }) => {
  command
    .argument("<run>", "a run id, or as much of its beginning as is unique")
    .argument("<name>", "the name that the run waits for")
    .option("--payload <json>", "what the run is told: JSON, @file, or - for the standard input")
    .option("--id <id>", "the same id again is the same signal and changes nothing")
    .option(...ACTOR_FLAG)
    .addOption(LEDGER_FLAG)
    .addHelpText(
      "after",
      `
It is durable when the command ends. A signal that the run does not wait for is kept until it does.

Examples:
  $ stepwell signal 01a1fa77 paid --payload '{"amount": 1299}'
  $ stepwell signal 01a1fa77 paid --payload @receipt.json --id receipt-81`,
    )
    .action(async (idOrPrefix: string, name: string, { payload, id, as: actor, ledger: url }: Flags) => {
      const told = await readJsonFlag(payload, PAYLOAD);
      await using ledger = await openExistingLedger(url);
      const { publicId } = await findRun(ledger, idOrPrefix);
      const { runs } = await commandsOver(ledger, TENANT);
      const waits = await ledger.waits.listWaits(TENANT, publicId);
      const step = waits.find(({ kind, key }) => kind === "signal" && key === name)?.path;
      await runs.signal(publicId, name, told, { actor, ...(id !== undefined && { id }) });
      const effect =
        step === undefined
          ? "no step waits for it yet, so it is kept"
          : await whoActs(url, `goes on with step ${step}, which waits for it`);
      terminal.out.line(`The signal "${name}" to ${publicId} is accepted; ${effect}`);
      finish(EXIT.succeeded);
    });
};
