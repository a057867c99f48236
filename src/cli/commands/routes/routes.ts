import type { Command } from "commander";
import { PlacementCommands } from "../../../engine/placement-commands.ts";
import { type Define, LEDGER_FLAG } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { table } from "../../layout.ts";
import { openExistingLedger } from "../../open-ledger.ts";

interface Flags {
  readonly tenant?: string;
  readonly workflow?: string;
  readonly topic?: string;
  readonly ledger: string;
  readonly json?: true;
}

export const defineRoutes: Define = (command, { terminal: { out }, finish }) => {
  command.addHelpText(
    "after",
    `
A route sends runs of a tenant or a workflow, and runs and steps with a topic, to workers of a group (stepwell worker --groups). The one that says most
counts; a topic without a route is a group of its own. Runs that are there stay where they are.

Examples:
  $ stepwell routes set gpu-pool --topic gpu
  $ stepwell routes set big --tenant acme
  $ stepwell routes remove --topic gpu`,
  );
  command
    .command("list")
    .description("list the routes, those that say most first")
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .action(async ({ ledger: url, json }: Flags) => {
      await using ledger = await openExistingLedger(url);
      const routes = await new PlacementCommands(ledger).routes();
      if (json === true) out.line(JSON.stringify({ routes }, null, 2));
      else if (routes.length === 0) out.line("No routes: runs and steps with a topic go to the group of that name, others to default");
      else {
        const columns = [{ title: "TOPIC" }, { title: "WORKFLOW" }, { title: "TENANT" }, { title: "GROUP" }];
        const rows = routes.map(({ topic, workflow, tenant, group }) => [topic ?? "any", workflow ?? "any", tenant ?? "any", group]);
        for (const line of table(columns, rows)) out.line(line);
      }
      finish(EXIT.succeeded);
    });
  withMatch(command.command("set").description("send what matches to workers of a group").argument("<group>", "the group")).action(
    async (group: string, { ledger: url, ...match }: Flags) => {
      await using ledger = await openExistingLedger(url);
      await new PlacementCommands(ledger).route(match, group);
      out.line(`${textOf(match)} goes to group ${group} from now on; what is there stays where it is`);
      finish(EXIT.succeeded);
    },
  );
  withMatch(command.command("remove").description("remove the route that matches just this")).action(
    async ({ ledger: url, ...match }: Flags) => {
      await using ledger = await openExistingLedger(url);
      const isGone = await new PlacementCommands(ledger).unroute(match);
      out.line(isGone ? `${textOf(match)} has no route any more` : `There is no route that matches just ${textOf(match)}`);
      finish(isGone ? EXIT.succeeded : EXIT.failed);
    },
  );
};

function withMatch(command: Command): Command {
  return command
    .option("--topic <topic>", "of a workflow or a step")
    .option("--workflow <name>", "the workflow")
    .option("--tenant <tenant>", "the tenant")
    .addOption(LEDGER_FLAG);
}

function textOf({ topic, workflow, tenant }: Omit<Flags, "ledger">): string {
  const parts = Object.entries({ topic, workflow, tenant }).flatMap(([what, name]) => (name === undefined ? [] : [`${what} ${name}`]));
  return parts.length === 0 ? "everything" : parts.join(", ");
}
