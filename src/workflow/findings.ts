import type { ErrorCode } from "../model/error-codes.ts";
import { LIMITS } from "../model/limits.ts";
import type { Position, Problem } from "../model/problem.ts";
import { type Path, pathText } from "./path.ts";

/** A closer look at a path than its value: the key itself, or a character of a string value (from 0). */
export interface Spot {
  readonly key?: boolean;
  readonly offset?: number;
}

/** The place of a member in its file, or of the nearest member around it; undefined without a file. */
export type Places = (path: Path, spot?: Spot) => Position | undefined;

/** The places of a definition without a file. */
export const NOWHERE: Places = () => undefined;

export interface Finding extends Spot {
  readonly code: ErrorCode;
  readonly path: Path;
  readonly message: string;
  /** A function when the hint is costly; it is only called for findings that are reported. */
  readonly hint?: string | undefined | (() => string | undefined);
  /** Instead of the place of `path`. */
  readonly position?: Position;
  /** Default error. */
  readonly severity?: "error" | "warning";
}

/** Where checks leave what they find. */
export type Report = (finding: Finding) => void;

/** Collects findings up to `LIMITS.problemsReported` and counts the rest, so that a hostile file costs bounded memory. */
export class Findings {
  readonly #places: Places;
  readonly #file: string | undefined;
  readonly #errors: Problem[] = [];
  readonly #warnings: Problem[] = [];
  #errorCount = 0;
  #warningCount = 0;

  /** @param earlier what was already found, for example while the file was parsed */
  constructor(places: Places, file: string | undefined, earlier: readonly Problem[] = []) {
    this.#places = places;
    this.#file = file;
    for (const problem of earlier) this.#keep(problem);
  }

  readonly report: Report = (finding) => {
    const kept = finding.severity === "warning" ? this.#warnings : this.#errors;
    if (kept.length < LIMITS.problemsReported) this.#keep(this.#problem(finding));
    else if (kept === this.#warnings) this.#warningCount++;
    else this.#errorCount++;
  };

  #keep(problem: Problem): void {
    if (problem.severity === "warning") this.#warningCount = this.#warnings.push(problem);
    else this.#errorCount = this.#errors.push(problem);
  }

  get hasErrors(): boolean {
    return this.#errorCount > 0;
  }

  /** In the order of the file; errors stay when there is not room for all, and a last entry counts what was left out. */
  list(): readonly Problem[] {
    const room = Math.max(0, LIMITS.problemsReported - this.#errors.length);
    const shown = [...this.#errors, ...this.#warnings.slice(0, room)].toSorted(byPosition);
    const left = this.#errorCount + this.#warningCount - shown.length;
    if (left === 0) return shown;
    const leftErrors = this.#errorCount - this.#errors.length;
    return [
      ...shown,
      {
        code: "DEFINITION_INVALID",
        severity: leftErrors > 0 ? "error" : "warning",
        message: `${left} more ${left === 1 ? "problem is" : "problems are"} not shown`,
        path: "",
        ...(this.#file === undefined ? {} : { file: this.#file }),
      },
    ];
  }

  #problem(finding: Finding): Problem {
    const hint = typeof finding.hint === "function" ? finding.hint() : finding.hint;
    const position = finding.position ?? this.#places(finding.path, finding);
    return {
      code: finding.code,
      severity: finding.severity ?? "error",
      message: finding.message,
      path: pathText(finding.path),
      ...(hint === undefined ? {} : { hint }),
      ...(this.#file === undefined ? {} : { file: this.#file }),
      ...(position === undefined ? {} : { position }),
    };
  }
}

/** Findings without a place keep their order behind those that have one. */
function byPosition(left: Problem, right: Problem): number {
  const [a, b] = [left.position, right.position];
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a.line - b.line || a.column - b.column;
}
