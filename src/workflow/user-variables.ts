import { LIMITS } from "../model/limits.ts";
import type { Report } from "./findings.ts";
import type { Path } from "./path.ts";
import { didYouMean } from "./suggest.ts";

const USER_VARIABLE = /\$\{user\.([^{}]*)\}/g;

export type UserVariables = Readonly<Record<string, string>>;

/**
 * Puts the values of `${user.name}` into the strings of one definition, once, while it is loaded (S4-20). Values are not
 * looked at again: a value that itself spells `${user.x}` stays as it is.
 */
export function createSubstitution(variables: UserVariables, report: Report): (text: string, path: Path) => string {
  let grown = 0;
  let isReported = false;
  return (text, path) => {
    if (!text.includes("${user.")) return text;
    const result = text.replace(USER_VARIABLE, (whole: string, name: string, offset: number) => {
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (value === undefined) {
        report({
          code: "USER_VARIABLE_MISSING",
          path,
          offset,
          message: `\${user.${name}} has no value`,
          hint: () => didYouMean(name, Object.keys(variables)) ?? `Pass it: --var ${name}=VALUE.`,
        });
        return whole;
      }
      grown += value.length;
      return grown > LIMITS.definitionBytes ? whole : value;
    });
    if (grown > LIMITS.definitionBytes && !isReported) {
      isReported = true;
      const message = `With its \${user.…} values the definition grows over ${LIMITS.definitionBytes} bytes`;
      report({ code: "DEFINITION_TOO_LARGE", path, message });
    }
    return result;
  };
}
