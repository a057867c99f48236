import { table } from "../layout.ts";
import type { Output } from "../terminal.ts";
import type { Effective, Reading, Source } from "./read.ts";
import { fallbackOf, type SettingsTable } from "./settings.ts";

/** Prints what counts and where it was said; no secrets. */
export function showSettings({ effective, file }: Reading<SettingsTable>, out: Output, isJson: boolean): void {
  if (isJson) {
    const settings = Object.fromEntries(effective.map((each) => [each.name, { value: shown(each), source: each.source }]));
    out.line(JSON.stringify({ file: file ?? null, settings }, null, 2));
    return;
  }
  const rows = effective.map((each) => [each.name, String(shown(each) ?? fallbackOf(each.setting)), placeOf(each.source)]);
  for (const line of table([{ title: "SETTING" }, { title: "VALUE" }, { title: "SAID BY" }], rows)) out.line(line);
}

function shown({ value, setting }: Effective): string | number | boolean | null {
  return value === undefined || value === null ? null : setting.kind.show(value);
}

function placeOf(source: Source): string {
  if (source.kind === "default") return "default";
  return source.kind === "file" ? `${source.name}:${source.position.line}:${source.position.column}` : source.name;
}
