import type { Operator } from "../operator.ts";

export const transform: Operator = (input) => input;
