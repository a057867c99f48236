import type { PublishResult } from "../../../engine/api.ts";
import { commandsOver } from "../../../engine/commands-over.ts";
import { formatDuration, parseDuration } from "../../../model/duration.ts";
import { type Define, LEDGER_FLAG } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { type JsonFlag, readJsonFlag } from "../../json-flag.ts";
import { plural } from "../../layout.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import { whoActs } from "../../who-acts.ts";

interface Flags {
  readonly data?: string;
  readonly id?: string;
  readonly retain: string;
  readonly ledger: string;
  readonly json?: true;
}

const DATA: JsonFlag = { flag: "--data", example: `{"orderId": "SO-1041"}` };

export const definePublish: Define = (command, { terminal, finish }) => {
  command
    .argument("<name>", "the name that steps wait for")
    .option("--data <json>", "what happened: JSON, @file, or - for the standard input; its members are what `where` compares")
    .option("--id <id>", "the same id again, of the same event, changes nothing")
    .option("--retain <duration>", "how long an event that nobody waits for is kept for the first who does", "24h")
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .action(async (name: string, { data, id, retain, ledger: url, json }: Flags) => {
      const happened = await readJsonFlag(data, DATA);
      await using ledger = await openExistingLedger(url);
      const { runs } = await commandsOver(ledger, TENANT);
      const result = await runs.publish(name, happened, { retain, ...(id !== undefined && { id }) });
      if (json === true) terminal.out.line(JSON.stringify(result, null, 2));
      else terminal.out.line(`The event "${name}" is published; ${await effectOf(result, retain, url)}`);
      finish(EXIT.succeeded);
    });
};

async function effectOf({ duplicate, kept, delivered }: PublishResult, retain: string, url: string): Promise<string> {
  if (duplicate) return "it was published before under this id, so nothing changes";
  if (kept) return `nobody waits for it, so it is kept for ${formatDuration(parseDuration(retain))}`;
  return `${plural(delivered, "step")} waited for it, and ${await whoActs(url, "goes on with the runs")}`;
}
