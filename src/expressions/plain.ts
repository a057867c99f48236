import { type Json, setOwn } from "../model/json.ts";
import { LIMITS } from "../model/limits.ts";
import { isFunctionValue } from "./function-value.ts";
import { Refusal, tooMuch } from "./refusal.ts";

/**
 * Rebuilds a value as plain JSON that shares nothing with its source: no functions, NaN, sequence marks or aliases.
 * @throws Refusal `EXPRESSION_TYPE` for what JSON cannot hold, `EXPRESSION_LIMIT` when it is too large or too deep
 */
export function toPlain(value: unknown): Json {
  return typeof value === "string" || typeof value === "boolean" ? value : new Copy().copy(value, 0);
}

class Copy {
  private members = 0;

  copy(value: unknown, depth: number): Json {
    if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
    if (value === undefined) return null;
    if (typeof value === "number") return finite(value);
    if (typeof value !== "object" || isFunctionValue(value)) {
      throw new Refusal("EXPRESSION_TYPE", "it gives a function, which JSON cannot hold", "Call the function: $name(…).");
    }
    if (depth >= LIMITS.jsonDepth) throw tooMuch(`its result nests deeper than ${LIMITS.jsonDepth} levels`);
    return Array.isArray(value) ? this.list(value, depth) : this.object(value, depth);
  }

  private list(list: readonly unknown[], depth: number): Json {
    this.count(list.length);
    return list.map((member) => this.copy(member, depth + 1));
  }

  private object(source: object, depth: number): Json {
    const result: Record<string, Json> = {};
    const members = Object.entries(source);
    this.count(members.length);
    for (const [name, member] of members) {
      setOwn(result, name, this.copy(member, depth + 1));
    }
    return result;
  }

  private count(members: number): void {
    this.members += members;
    if (this.members > LIMITS.expressionResultMembers) throw tooMuch(`its result has more than ${LIMITS.expressionResultMembers} members`);
  }
}

function finite(value: number): number {
  // Adding 0 turns -0 into 0, which is what would come back from JSON text.
  if (Number.isFinite(value)) return value + 0;
  throw new Refusal(
    "EXPRESSION_TYPE",
    `it gives ${value}, which JSON cannot hold`,
    "Check for a division by zero or a number that is too large.",
  );
}
