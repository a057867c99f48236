import type { JsonObject } from "../../../src/model/json.ts";

/** What every run is given: conditions that hold and conditions that do not, several of each because no two cases may ask the same. */
export const INPUT: JsonObject = { yes: [true, true, true], no: [false, false, false] };

export function flag(holds: boolean, index: number): string {
  return `{{ input.${holds ? "yes" : "no"}[${index}] }}`;
}
