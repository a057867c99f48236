import { Schemas } from "../engine/schemas.ts";
import { StepwellError } from "../model/errors.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Problem } from "../model/problem.ts";
import type { LoadedOperators } from "../operators/load.ts";
import type { Definition } from "../workflow/index.ts";
import type { Variables } from "./command.ts";
import { readInput } from "./json-flag.ts";
import { catalogWith, loadDefinition, loadOperatorsFile } from "./load-definition.ts";
import { countProblems, hasErrors, problemLines, reportError } from "./report-error.ts";
import type { Output } from "./terminal.ts";

export interface RunSource {
  readonly file: string;
  readonly var?: Variables;
  readonly operators?: string;
  readonly input?: string;
}

/** Everything that a run needs, checked before anything is written. */
export interface PreparedRun {
  readonly workflow: string;
  readonly definition: Definition;
  readonly operators: LoadedOperators | undefined;
  readonly warnings: readonly Problem[];
  /** An error stands for an input that is wrong; it matters only when a new run is started. */
  readonly input: Json | StepwellError;
}

/**
 * Loads definition, operators and input, and reports all that is wrong with any of them at once.
 *
 * @returns undefined when the definition or the operators cannot be used; that has been reported then
 */
export async function prepareRun(source: RunSource, err: Output): Promise<PreparedRun | undefined> {
  const [operators, input] = await Promise.all([attempt(loadOperatorsFile(source.operators)), attempt(readInput(source.input))]);
  const isLoaded = !(operators instanceof StepwellError);
  // Without its module every function would be unknown: the module is the problem then, and is reported alone.
  const loaded = await attempt(loadDefinition(source.file, isLoaded ? catalogWith(operators) : null, source.var));
  const definitionFault = loaded instanceof StepwellError ? loaded : reportProblems(source.file, loaded.problems, err);
  if (!isLoaded) reportError(err, operators);
  if (definitionFault !== undefined) reportError(err, definitionFault);
  if (loaded instanceof StepwellError || loaded.graph === undefined || loaded.definition === undefined || !isLoaded) {
    if (input instanceof StepwellError) reportError(err, input);
    return undefined;
  }
  const { graph, definition, problems: warnings } = loaded;
  const checked = input instanceof StepwellError ? input : await checkInput(graph.inputSchema, input, graph.name);
  return { workflow: graph.name, definition, operators, warnings, input: checked };
}

/** Shows the problems of a definition that cannot be run; warnings alone wait until the run is under way. */
function reportProblems(file: string, problems: readonly Problem[], err: Output): StepwellError | undefined {
  if (!hasErrors(problems)) return undefined;
  for (const problem of problems) for (const line of problemLines(problem, err.paint)) err.line(line);
  return new StepwellError("DEFINITION_INVALID", `${file} has ${countProblems(problems)}; nothing was started`);
}

async function checkInput(schema: JsonObject | null, input: Json, workflow: string): Promise<Json | StepwellError> {
  if (schema === null) return input;
  const schemas = new Schemas();
  const fault = await attempt(Promise.resolve(schemas.check(schema, input, "INPUT_INVALID", `the input of "${workflow}"`)));
  return fault instanceof StepwellError ? fault : input;
}

/** A coded error as a value, so that several can be shown together. */
async function attempt<Value>(work: Promise<Value>): Promise<Value | StepwellError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StepwellError) return error;
    throw error;
  }
}
