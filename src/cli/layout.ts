import { stripVTControlCharacters } from "node:util";

/** Text of others in one line: no line breaks, and no control characters that would move the cursor or recolour the screen. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();
}

/** At most `width` characters; what does not fit ends with an ellipsis. */
export function fit(text: string, width: number): string {
  const characters = charactersOf(text);
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** Code points: a terminal gives most of them one cell, and half of one none at all. */
function charactersOf(text: string): readonly string[] {
  return Array.from(text);
}

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Longer cells are cut. Default: none are. */
  readonly maxWidth?: number;
  /** Shorter columns are padded, so that a table drawn again keeps its shape. */
  readonly minWidth?: number;
}

/**
 * Rows of cells as lines with aligned columns, two blanks apart; the first line is the titles when there are any. The last column is
 * never padded.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const titles = columns.map(({ title }) => title);
  const all = [...(titles.some((title) => title !== "") ? [titles] : []), ...rows.map((row) => row.map(oneLine))];
  const widths = columns.map(({ minWidth = 0, maxWidth = Number.POSITIVE_INFINITY }, index) =>
    Math.min(
      maxWidth,
      all.reduce((width, row) => Math.max(width, charactersOf(row[index] ?? "").length), minWidth),
    ),
  );
  return all.map((row) =>
    columns
      .map(({ align }, index) => {
        const width = widths[index] ?? 0;
        const cell = fit(row[index] ?? "", width);
        const padding = " ".repeat(width - charactersOf(cell).length);
        return align === "right" ? padding + cell : cell + padding;
      })
      .filter((_, index) => widths[index] !== 0)
      .join("  ")
      .trimEnd(),
  );
}

export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  // Not toLocaleString: the first use of Intl takes 10 ms, a tenth of what `validate` takes.
  const digits = String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
  return `${digits} ${count === 1 ? noun : nouns}`;
}

/** Time of day in the reader's own time zone, to the millisecond. */
export function timeOfDay(ms: number): string {
  const date = new Date(ms);
  const two = (part: number): string => String(part).padStart(2, "0");
  const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`;
}

/** Date and time of day in the reader's own time zone. */
export function dateAndTime(ms: number): string {
  const date = new Date(ms);
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOfDay(ms).slice(0, 8)}`;
}
