import type { Template } from "../expressions/template.ts";
import { parseDuration } from "../model/duration.ts";
import type { ErrorCode } from "../model/error-codes.ts";
import { StepwellError } from "../model/errors.ts";
import { isJsonObject, isScalar, type Json, type JsonObject, jsonTypeOf } from "../model/json.ts";
import type { OperatorProblem } from "./definition.ts";
import type { SuspendRequest } from "./suspension.ts";

/** What bounds a wait, as a suspension takes it. */
export type Deadline = Pick<SuspendRequest, "deadline" | "onTimeout">;

/** Reads one operator's `with`. Says what is wrong through `fields`; what it returns counts only when nothing was. */
export type InputReader<Input> = (fields: Fields) => Input;

/**
 * Checks a step's `with` as far as it is constant: values that hold `{{ }}` or name a secret are taken on trust until the step runs.
 * The same reader reads the evaluated `with`, so that a definition and a run cannot disagree about what an operator accepts.
 */
export function checkInput(read: InputReader<unknown>, template: Template | null): readonly OperatorProblem[] {
  const source = template?.source ?? {};
  return isOpen(source) ? [] : readFields(read, source, isOpen).problems;
}

/**
 * Reads an evaluated `with`.
 * @throws StepwellError `OPERATOR_INPUT_INVALID`; `data.fields` lists the paths of all problems. Messages never quote values, which may be secrets.
 */
export function readInput<Input>(operator: string, read: InputReader<Input>, input: Json): Input {
  const { value, problems } = readFields(read, input ?? {}, () => false);
  if (value !== undefined && problems.length === 0) return value;
  throw inputInvalid(
    operator,
    problems.map(({ message }) => message),
    problems.map(({ path }) => path),
    problems.find(({ hint }) => hint !== undefined)?.hint,
  );
}

export function inputInvalid(operator: string, messages: readonly string[], paths: readonly string[], hint?: string): StepwellError {
  const detail = { data: { operator, fields: paths } };
  return new StepwellError(
    "OPERATOR_INPUT_INVALID",
    `${operator}: ${messages.join("; ")}`,
    hint === undefined ? detail : { ...detail, hint },
  );
}

function readFields<Input>(read: InputReader<Input>, source: Json, open: (value: Json) => boolean) {
  if (!isJsonObject(source)) {
    const message = `with is a ${jsonTypeOf(source)}, not an object of fields`;
    return { value: undefined, problems: [problem("FIELD_INVALID", "", message)] };
  }
  const fields = new Fields(source, open);
  const value = read(fields);
  return { value, problems: [...fields.problems, ...fields.unknown()] };
}

/** What is known only when the step runs: an expression, or `{ secret: NAME }`. */
function isOpen(value: Json): boolean {
  if (typeof value === "string") return value.includes("{{");
  return isJsonObject(value) && typeof value["secret"] === "string" && Object.keys(value).length === 1;
}

function problem(code: ErrorCode, path: string, message: string, hint?: string): OperatorProblem {
  const found = { code, severity: "error", path, message } as const;
  return hint === undefined ? found : { ...found, hint };
}

/** The members of one `with`. Null counts as absent everywhere, as YAML writes an empty field. */
export class Fields {
  readonly problems: OperatorProblem[];
  readonly #source: JsonObject;
  readonly #open: (value: Json) => boolean;
  /** Path of these members in the `with`, with the dot before the next name. */
  readonly #prefix: string;
  readonly #asked = new Set<string>();

  constructor(source: JsonObject, open: (value: Json) => boolean, prefix = "", problems: OperatorProblem[] = []) {
    this.#source = source;
    this.#open = open;
    this.#prefix = prefix;
    this.problems = problems;
  }

  /** The member is there, perhaps as an expression. */
  has(name: string): boolean {
    return this.json(name) !== undefined;
  }

  /** Any JSON value; undefined when it is absent. */
  json(name: string): Json | undefined {
    this.#asked.add(name);
    return this.#source[name] ?? undefined;
  }

  /** A string; undefined when it is absent, not yet known or wrong. */
  text(name: string): string | undefined {
    const value = this.#known(name);
    if (value === undefined || typeof value === "string") return value;
    this.invalid(name, `${name} is a ${jsonTypeOf(value)}, not a string`);
    return undefined;
  }

  /** A text that must be there and not be empty; empty as long as it is not known. */
  name(name: string, hint: string): string {
    this.missing(name, hint);
    const text = this.text(name);
    if (text === "") this.invalid(name, `${name} is empty`, hint);
    return text ?? "";
  }

  /** A string, number or boolean, as text. */
  scalar(name: string): string | undefined {
    const value = this.#known(name);
    if (value === undefined || isScalar(value)) return value === undefined ? undefined : String(value);
    this.invalid(name, `${name} is a ${jsonTypeOf(value)}, not a string, number or boolean`);
    return undefined;
  }

  /** Milliseconds of a duration, as text or as a number of them. */
  duration(name: string): number | undefined {
    const value = this.#known(name);
    if (value === undefined) return undefined;
    try {
      if (typeof value === "string" || typeof value === "number") return parseDuration(value);
    } catch {
      // said below: what cannot be read is as wrong as what is no text
    }
    this.invalid(
      name,
      `${name} is not a duration`,
      "Write a number with a unit (200ms, 5s, 10m, 2h, 3d), ISO 8601 (PT5M), or milliseconds.",
    );
    return undefined;
  }

  /** A duration that bounds a wait, and in `onTimeout` what follows when it is over. */
  deadline(name: string): Deadline {
    const deadline = this.duration(name);
    const onTimeout = this.choice("onTimeout", ["fail", "continue"], "fail");
    if (!this.has(name)) this.refuseWithout("onTimeout", name);
    return deadline === undefined ? { onTimeout } : { deadline, onTimeout };
  }

  integer(name: string, minimum: number, maximum: number): number | undefined {
    const value = this.#known(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    this.invalid(name, `${name} is not a whole number from ${minimum} to ${maximum}`);
    return undefined;
  }

  flag(name: string): boolean {
    const value = this.#known(name);
    if (value !== undefined && typeof value !== "boolean") this.invalid(name, `${name} is neither true nor false`);
    return value === true;
  }

  /** Texts; one alone counts as a list of one. */
  texts(name: string): readonly string[] {
    const items = this.list(name) ?? [];
    const texts = items.filter((item) => typeof item === "string");
    if (texts.length < items.length) this.invalid(name, `${name} is not a list of strings`);
    return texts;
  }

  /** The members of an object within; undefined when it is absent, not yet known or wrong. */
  within<Value>(name: string, read: InputReader<Value>): Value | undefined {
    return this.#inside(name, this.#known(name), read);
  }

  /** Each object of a list, as far as they are known; undefined when the list is absent or not yet known. */
  each<Value>(name: string, read: InputReader<Value>): readonly Value[] | undefined {
    const value = this.#known(name);
    if (value === undefined) return undefined;
    if (isList(value))
      return value.flatMap((item, index) => this.#inside(`${name}[${index}]`, this.#open(item) ? undefined : item, read) ?? []);
    this.invalid(name, `${name} is a ${jsonTypeOf(value)}, not a list`);
    return undefined;
  }

  #inside<Value>(name: string, value: Json | undefined, read: InputReader<Value>): Value | undefined {
    if (value === undefined) return undefined;
    if (!isJsonObject(value)) {
      this.invalid(name, `${name} is a ${jsonTypeOf(value)}, not an object`);
      return undefined;
    }
    const inside = new Fields(value, this.#open, `${this.#prefix}${name}.`, this.problems);
    const found = read(inside);
    this.problems.push(...inside.unknown());
    return found;
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const found = choices.find((choice) => choice === text);
    if (found === undefined) this.invalid(name, `${name} is none of ${choices.join(", ")}`);
    return found ?? fallback;
  }

  object(name: string): JsonObject {
    const value = this.#known(name);
    if (value === undefined) return {};
    if (isJsonObject(value)) return value;
    this.invalid(name, `${name} is a ${jsonTypeOf(value)}, not an object`);
    return {};
  }

  /** The items that are known; a single value counts as a list of one. */
  list(name: string): readonly Json[] | undefined {
    const value = this.#known(name);
    if (value === undefined) return undefined;
    return isList(value) ? value.filter((item) => !this.#open(item)) : [value];
  }

  /** An object whose members are scalars or lists of scalars, each as a list of texts; null members are left out. */
  multimap(name: string): ReadonlyMap<string, readonly string[]> {
    const entries = new Map<string, readonly string[]>();
    for (const [key, value] of Object.entries(this.object(name))) {
      if (value === null || this.#open(value)) continue;
      const items = (isList(value) ? value : [value]).filter((item) => !this.#open(item));
      if (items.every(isScalar)) entries.set(key, items.map(String));
      else this.invalid(`${name}.${key}`, `${name}.${key} must be a string, number or boolean, or a list of them`);
    }
    return entries;
  }

  /** Which of these fields is there, of which exactly one counts: the first of several. */
  oneOf<Name extends string>(names: readonly [Name, ...Name[]], hint: string): Name | undefined {
    const [form, second] = names.filter((name) => this.has(name));
    if (second !== undefined) this.invalid(second, `${second} stands beside ${form}, and only one of them counts`, hint);
    else if (form === undefined) this.missing(names[0], hint);
    return form;
  }

  /** Refuses a field that means something only with another one, which does not count here. */
  refuseWithout(name: string, other: string): void {
    if (this.has(name)) this.invalid(name, `${name} means nothing without ${other}`);
  }

  missing(name: string, hint: string): void {
    if ((this.#source[name] ?? null) === null) this.problems.push(this.#problem("FIELD_MISSING", name, `${name} is missing`, hint));
  }

  invalid(path: string, message: string, hint?: string): void {
    this.problems.push(this.#problem("FIELD_INVALID", path, message, hint));
  }

  /** A problem for every member that nobody asked for. */
  unknown(): readonly OperatorProblem[] {
    const surplus = Object.keys(this.#source).filter((name) => !this.#asked.has(name));
    const hint = `Known fields: ${[...this.#asked].join(", ")}.`;
    return surplus.map((name) => this.#problem("FIELD_UNKNOWN", name, `${name} is not a field of this operator`, hint));
  }

  #problem(code: ErrorCode, name: string, message: string, hint?: string): OperatorProblem {
    return problem(code, this.#prefix + name, this.#prefix + message, hint);
  }

  #known(name: string): Json | undefined {
    const value = this.json(name);
    return value === undefined || this.#open(value) ? undefined : value;
  }
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
