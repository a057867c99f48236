import { migrateLedger } from "../../ledger/url.ts";
import { type Define, LEDGER_FLAG } from "../command.ts";
import { EXIT } from "../exit-codes.ts";

interface Flags {
  readonly ledger: string;
  readonly json?: true;
}

export const defineMigrate: Define = (command, { terminal, finish }) => {
  command
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Makes the ledger when it is not there. Forward only, and many may start it at once: one works, the others wait for it.
Opening a ledger does the same; this is for a deployment that does it before the workers start.

Examples:
  $ stepwell migrate --ledger postgres://stepwell:secret@db.internal/stepwell`,
    )
    .action(async ({ ledger: url, json }: Flags) => {
      const { ledger, before, applied } = await migrateLedger(url);
      const now = before + applied.length;
      if (json === true) terminal.out.line(JSON.stringify({ ledger, before, now, applied }, null, 2));
      else {
        for (const { number, name } of applied) terminal.out.line(`Applied migration ${number} (${name})`);
        terminal.out.line(`${ledger} is up to date, at migration ${now}`);
      }
      finish(EXIT.succeeded);
    });
};
