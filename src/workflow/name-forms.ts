import { LIMITS } from "../model/limits.ts";
import type { NameForm } from "./shape.ts";

/** Names in expressions: `steps.fetch.output`, `vars.shop`. */
export const EXPRESSION_NAME: NameForm = {
  pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
  means: "letters, digits and `_`, and does not start with a digit",
  maxLength: LIMITS.idLength,
};
/** Names by which others speak of something: workflows, topics. */
export const PUBLIC_NAME: NameForm = {
  pattern: "^[A-Za-z_][A-Za-z0-9_.-]*$",
  means: "letters, digits, `_`, `-` and `.`, and starts with a letter or `_`",
  maxLength: LIMITS.idLength,
};
