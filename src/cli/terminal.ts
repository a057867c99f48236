import { isatty } from "node:tty";
import pc from "picocolors";

export type Paint = ReturnType<typeof pc.createColors>;

/** Where a command writes. Colours and redrawing are for people: both streams know whether one is looking. */
export interface Terminal {
  readonly out: Output;
  readonly err: Output;
  /** The size of the screen behind `out`; a wide page when there is none. */
  readonly size: () => { readonly columns: number; readonly rows: number };
}

export interface Output {
  /** A person looks at it and it can be redrawn. */
  readonly isScreen: boolean;
  readonly paint: Paint;
  /** Writes text as it stands. */
  readonly write: (text: string) => void;
  readonly line: (text: string) => void;
}

export function processTerminal(): Terminal {
  return {
    out: outputTo(process.stdout),
    err: outputTo(process.stderr),
    size: () => ({ columns: process.stdout.isTTY ? process.stdout.columns : 200, rows: process.stdout.isTTY ? process.stdout.rows : 50 }),
  };
}

function outputTo(stream: NodeJS.WriteStream & { readonly fd: number }): Output {
  // `stream.isTTY` of a pipe is undefined, which picocolors takes for "find out yourself": colours wherever CI is set
  const isScreen = isatty(stream.fd) && process.env["TERM"] !== "dumb";
  // Whoever reads may leave (`| head`); the work goes on without a reader.
  stream.on("error", () => undefined);
  const write = (text: string): void => {
    stream.write(text);
  };
  return {
    isScreen,
    paint: pc.createColors(isScreen && (process.env["NO_COLOR"] ?? "") === ""),
    write,
    line: (text) => {
      write(`${text}\n`);
    },
  };
}
