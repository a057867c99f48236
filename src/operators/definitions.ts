import { approvalDefinition } from "./approval/definition.ts";
import type { OperatorCatalog, OperatorDefinition } from "./definition.ts";
import { httpDefinition } from "./http/definition.ts";
import { logDefinition } from "./log/definition.ts";
import { sleepDefinition } from "./sleep/definition.ts";
import { taskDefinition } from "./task/definition.ts";
import { transformDefinition } from "./transform/definition.ts";
import { waitDefinition } from "./wait/definition.ts";
import { workflowDefinition } from "./workflow/definition.ts";

/** The operators that every Stepwell has. Their executors are in `executors.ts`, under the same names. */
export const builtInDefinitions: OperatorCatalog = catalog([
  httpDefinition,
  logDefinition,
  transformDefinition,
  sleepDefinition,
  waitDefinition,
  approvalDefinition,
  taskDefinition,
  workflowDefinition,
]);

/**
 * The catalog of a process that has registered functions of its own. A function with the name of a built-in operator replaces
 * it, so that a test can stand in for `http`.
 */
export function catalogOf(builtIn: OperatorCatalog, registeredNames: Iterable<string>): OperatorCatalog {
  const own = new Set(registeredNames);
  return {
    get: (name) => (own.has(name) ? registered(name) : builtIn.get(name)),
    names: () => [...new Set([...builtIn.names(), ...own])],
  };
}

/** Nothing is known of a registered function: it takes any input and may be quick. */
function registered(name: string): OperatorDefinition {
  return { name, description: "A registered function.", slow: false, check: null };
}

function catalog(definitions: readonly OperatorDefinition[]): OperatorCatalog {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  return { get: (name) => byName.get(name), names: () => [...byName.keys()] };
}
