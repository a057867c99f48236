import type { Problem } from "../../model/problem.ts";
import { didYouMean } from "../../workflow/suggest.ts";
import { ALL_SETTINGS, CONFIG_VARIABLE, variablesOf } from "./settings.ts";

const PREFIX = "STEPWELL_";
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.entries(ALL_SETTINGS).flatMap(([name, setting]) => variablesOf(name, setting)),
  CONFIG_VARIABLE,
  "STEPWELL_DEBUG",
]);

/** What Kubernetes tells every container about a service named `stepwell`, in the form that Docker's links once had. */
const SERVICE_LINK_NAME = /^STEPWELL_(?:\w+_)?(?:SERVICE_(?:HOST|PORT)(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\/[^/]+:\d+$/;

/** What a variable says; undefined for one that is empty, or that Kubernetes has set to the address of a service. */
export function saidBy(environment: NodeJS.ProcessEnv, variable: string): string | undefined {
  const value = environment[variable];
  return value === "" || (value !== undefined && SERVICE_LINK.test(value)) ? undefined : value;
}

/** A warning for each variable that was meant for Stepwell and that nothing reads. Never shows a value. */
export function unknownVariables(environment: NodeJS.ProcessEnv): readonly Problem[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !KNOWN.has(name) && !SERVICE_LINK_NAME.test(name))
    .filter((name) => saidBy(environment, name) !== undefined)
    .toSorted()
    .map((name) => {
      const hint = didYouMean(name, KNOWN);
      return {
        code: "CONFIG_VARIABLE_UNKNOWN",
        severity: "warning",
        path: name,
        message: "No setting is read from this variable",
        ...(hint !== undefined && { hint }),
      };
    });
}
