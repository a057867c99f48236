import type { Define } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { loadOperatorsFile } from "../load-definition.ts";
import { problemLines, refuseProblems } from "../report-error.ts";
import { addSettingFlags, saidFlags } from "../settings/flags.ts";
import { readSettings } from "../settings/read.ts";
import type { EngineValues, SettingsTable, ValuesOf } from "../settings/settings.ts";
import { showSettings } from "../settings/show.ts";
import { runService, type Service } from "./run-service.ts";

/** A service whose operators are not loaded yet: it has their path. */
type Terms = Omit<Service, "operators"> & { readonly operators: string | undefined };

interface ServiceCommand<T extends SettingsTable> {
  readonly settings: T;
  /** What stands below the flags in its help. */
  readonly help: string;
  readonly terms: (settings: ValuesOf<T>) => Terms;
}

/** A command that works on a ledger until it is told to stop. */
export function serviceCommand<T extends SettingsTable>({ settings: table, help, terms }: ServiceCommand<T>): Define {
  return (command, { terminal, finish }) => {
    addSettingFlags(command, table);
    command
      .option("--json", "print one JSON object on a line for each event")
      .addHelpText("after", help)
      .action(async ({ showConfig, json }: { readonly showConfig?: true; readonly json?: true }) => {
        const reading = await readSettings(table, saidFlags(command), process.env);
        for (const problem of reading.problems) for (const line of problemLines(problem, terminal.err.paint)) terminal.err.line(line);
        refuseProblems(reading.problems, "The configuration", `no ${command.name()} was started`);
        if (showConfig === true) showSettings(reading, terminal.out, json === true);
        else if (reading.settings !== undefined) {
          const told = terms(reading.settings);
          finish(await runService({ ...told, operators: await loadOperatorsFile(told.operators) }, terminal, json === true));
          return;
        }
        finish(EXIT.succeeded);
      });
  };
}

/** What a worker and a server are told alike, with its units. */
export function engineTerms({
  ledger,
  queue,
  operators,
  groups,
  concurrency,
  lease,
  grace,
  retention,
  archive,
}: EngineValues): Omit<Terms, "kind" | "drives" | "address"> {
  return { ledger, queue, operators, groups, concurrency, leaseMs: lease, graceMs: grace, retention, archive };
}
