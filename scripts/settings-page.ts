import {
  ALL_SETTINGS,
  fallbackOf,
  flagOf,
  SERVER_SETTINGS,
  type Setting,
  variablesOf,
  WORKER_SETTINGS,
} from "../src/cli/settings/settings.ts";

const BEGIN = "<!-- Made from src/cli/settings/settings.ts by `npm run docs`. -->\n";
const END = "<!-- End of what is made. -->\n";

/** The text of docs/guide/configuration.md with its table of settings as they are. */
export function settingsPage(page: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error("docs/guide/configuration.md has lost the marks between which its table stands");
  return page.slice(0, from + BEGIN.length) + table() + page.slice(to);
}

function table(): string {
  return [
    "",
    "| In a file | Flag | In the environment | Of | Value | Default | Meaning |",
    "|---|---|---|---|---|---|---|",
    ...Object.entries(ALL_SETTINGS).map(([name, setting]) => row(name, setting)),
    "",
    "",
  ].join("\n");
}

function row(name: string, setting: Setting<unknown>): string {
  const { kind, help, fallback, fallbackText } = setting;
  const said = fallbackOf(setting);
  const shown = said === undefined ? "required" : fallback === undefined || fallbackText !== undefined ? said : `\`${said}\``;
  const variables = variablesOf(name, setting).map((variable) => `\`${variable}\``);
  const cells = [`\`${name}\``, `\`${flagOf(name, setting)}\``, variables.join(", "), servedBy(name), kind.description, shown, help];
  return `| ${cells.join(" | ")} |`;
}

function servedBy(name: string): string {
  const isOfWorker = Object.hasOwn(WORKER_SETTINGS, name);
  if (isOfWorker && Object.hasOwn(SERVER_SETTINGS, name)) return "both";
  return isOfWorker ? "worker" : "server";
}
