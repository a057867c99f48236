import { PlacementCommands } from "../../../engine/placement-commands.ts";
import { type Define, LEDGER_FLAG, wholeNumber } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { plural, table } from "../../layout.ts";
import { openExistingLedger } from "../../open-ledger.ts";

interface Flags {
  readonly weight: number;
  readonly most?: number;
  readonly ledger: string;
  readonly json?: true;
}

export const defineTenants: Define = (command, { terminal: { out }, finish }) => {
  command.addHelpText(
    "after",
    `
Examples:
  $ stepwell tenants set acme --weight 3 --most 50
  $ stepwell tenants list`,
  );
  command
    .command("list")
    .description("list the tenants of which something is said")
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .action(async ({ ledger: url, json }: Flags) => {
      await using ledger = await openExistingLedger(url);
      const tenants = await new PlacementCommands(ledger).shares();
      if (json === true) out.line(JSON.stringify({ tenants }, null, 2));
      else if (tenants.length === 0) out.line("Every tenant has weight 1, and may have any number of runs at once");
      else {
        const columns = [{ title: "TENANT" }, { title: "WEIGHT", align: "right" }, { title: "MOST", align: "right" }] as const;
        for (const line of table(
          columns,
          tenants.map(({ tenant, weight, most }) => [tenant, String(weight), most === null ? "any" : String(most)]),
        ))
          out.line(line);
      }
      finish(EXIT.succeeded);
    });
  command
    .command("set")
    .description("give a tenant its share of the workers")
    .argument("<tenant>", "the tenant")
    .option("--weight <count>", "of what waits, in proportion to the weights of the others", wholeNumber(1), 1)
    .option("--most <count>", "how many of its runs may be at work at once; without it any number", wholeNumber(1))
    .addOption(LEDGER_FLAG)
    .action(async (tenant: string, { weight, most, ledger: url }: Flags) => {
      await using ledger = await openExistingLedger(url);
      await new PlacementCommands(ledger).share(tenant, weight, most ?? null);
      const bound = most === undefined ? "any number of runs" : `at most ${plural(most, "run")}`;
      out.line(`${tenant} has weight ${weight} and ${bound} at once, for what asks for its turn from now on`);
      finish(EXIT.succeeded);
    });
};
