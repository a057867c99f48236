/**
 * Lexical structure of JSONata, enough to find where an expression ends and to refuse what its parser cannot take: it clones the
 * left side of `??` and `?:`, so nesting those on the left doubles its work each time.
 */
export interface Scan {
  /** Offset of the `}}` that ends the expression, or of the end of the text. */
  readonly end: number;
  /** The expression ended as it should: at a `}}`, or at the end of the text when none is asked for. */
  readonly isClosed: boolean;
  /** How often nested defaults double the parser's work. */
  readonly doublings: number;
}

const SPACE = /\s/;
const OPERATORS = ".[]{}(),@#;:?+-*/%|=<>^!&~";
const OPENING = "([{";
const CLOSING = ")]}";
const WORD_OPERATORS: ReadonlySet<string> = new Set(["and", "or", "in"]);

/** Reads one expression from `start`; with `braces` up to the `}}` that closes it, otherwise to the end of the text. */
export function scanExpression(text: string, start: number, braces: boolean): Scan {
  const scanner = new Scanner(text, start, braces);
  return scanner.run();
}

/** Doublings inside one bracket: of the operand that is being read, and the most of any. */
interface Level {
  operand: number;
  most: number;
}

class Scanner {
  private readonly text: string;
  private readonly braces: boolean;
  private at: number;
  private afterOperand = false;
  private level: Level = { operand: 0, most: 0 };
  private readonly outer: Level[] = [];

  constructor(text: string, start: number, braces: boolean) {
    this.text = text;
    this.at = start;
    this.braces = braces;
  }

  run(): Scan {
    while (this.at < this.text.length) {
      const character = this.text.charAt(this.at);
      if (this.braces && this.outer.length === 0 && character === "}" && this.text.charAt(this.at + 1) === "}") return this.finish(true);
      this.token(character);
    }
    return this.finish(!this.braces);
  }

  private finish(isClosed: boolean): Scan {
    while (this.outer.length > 0) this.close();
    return {
      end: Math.min(this.at, this.text.length),
      isClosed,
      doublings: mostOf(this.level),
    };
  }

  private token(character: string): void {
    if (SPACE.test(character)) this.at++;
    else if (character === '"' || character === "'") this.string(character);
    else if (character === "`") this.skipPast("`", this.at + 1);
    else if (character === "/" && this.text.charAt(this.at + 1) === "*") this.comment();
    else if (character === "/" && !this.afterOperand) this.regex();
    else if (OPERATORS.includes(character)) this.operator(character);
    else this.word();
  }

  private string(quote: string): void {
    this.at++;
    while (this.at < this.text.length && this.text.charAt(this.at) !== quote) this.at += this.text.charAt(this.at) === "\\" ? 2 : 1;
    this.at++;
    this.afterOperand = true;
  }

  private skipPast(mark: string, from: number): void {
    const found = this.text.indexOf(mark, from);
    this.at = found === -1 ? this.text.length : found + mark.length;
    this.afterOperand = true;
  }

  private comment(): void {
    const before = this.afterOperand;
    this.skipPast("*/", this.at + 2);
    this.afterOperand = before;
  }

  /** As JSONata does: a `/` ends the literal unless it is escaped or stands inside brackets. */
  private regex(): void {
    let depth = 0;
    this.at++;
    while (this.at < this.text.length) {
      const character = this.text.charAt(this.at);
      if (character === "/" && depth === 0) break;
      if (character === "\\") this.at++;
      else if (OPENING.includes(character)) depth++;
      else if (CLOSING.includes(character)) depth--;
      this.at++;
    }
    this.at++;
    this.afterOperand = true;
  }

  private word(): void {
    const start = this.at;
    while (this.at < this.text.length && !SPACE.test(this.text.charAt(this.at)) && !OPERATORS.includes(this.text.charAt(this.at)))
      this.at++;
    this.afterOperand = !WORD_OPERATORS.has(this.text.slice(start, this.at));
  }

  private operator(character: string): void {
    const pair = this.text.slice(this.at, this.at + 2);
    this.at++;
    this.afterOperand = false;
    if (OPENING.includes(character)) this.open();
    else if (CLOSING.includes(character)) this.close();
    else if (pair === "??" || pair === "?:") this.default();
  }

  private open(): void {
    this.outer.push(this.level);
    this.level = { operand: 0, most: 0 };
  }

  private close(): void {
    this.afterOperand = true;
    const outer = this.outer.pop();
    if (outer === undefined) return;
    outer.operand = Math.max(outer.operand, mostOf(this.level));
    this.level = outer;
  }

  /** The left side is cloned, the right side starts a new operand. */
  private default(): void {
    this.at++;
    this.level = { operand: 0, most: Math.max(this.level.most, this.level.operand + 1) };
  }
}

function mostOf(level: Level): number {
  return Math.max(level.operand, level.most);
}
