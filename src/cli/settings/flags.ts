import type { Command } from "commander";
import type { SaidFlags } from "./read.ts";
import { CONFIG_FILE, CONFIG_VARIABLE, fallbackOf, flagOf, type SettingsTable, variablesOf } from "./settings.ts";

/** Gives a command a flag for each setting of a table, and those that say where settings are and show them. */
export function addSettingFlags(command: Command, table: SettingsTable): void {
  for (const [name, setting] of Object.entries(table)) {
    const { placeholder } = setting.kind;
    const fallback = fallbackOf(setting);
    const flag = `${flagOf(name, setting)}${placeholder === "" ? "" : ` <${placeholder}>`}`;
    command.option(
      flag,
      `${setting.helpOfDenial ?? setting.help} [$${variablesOf(name, setting).join(", $")}; ${fallback === undefined ? "required" : `default: ${fallback}`}]`,
    );
  }
  command
    .option("--config <file>", `a YAML file of settings [$${CONFIG_VARIABLE}; default: ${CONFIG_FILE}, if it is there]`)
    .option("--show-config", "print the settings that count and where each was said, and do nothing else");
}

/** What the command line says, without what commander takes for granted. */
export function saidFlags(command: Command): SaidFlags {
  return Object.fromEntries(Object.entries(command.opts()).filter(([name]) => command.getOptionValueSource(name) === "cli"));
}
