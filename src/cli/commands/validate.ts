import type { Problem } from "../../model/problem.ts";
import type { OperatorCatalog } from "../../operators/definition.ts";
import { collectVariable, type Define, OPERATORS_FLAG, VAR_FLAG, type Variables } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { plural } from "../layout.ts";
import { catalogWith, loadDefinition, loadOperatorsFile } from "../load-definition.ts";
import { countProblems, hasErrors, problemLines } from "../report-error.ts";
import type { Output } from "../terminal.ts";

interface Flags {
  readonly var?: Variables;
  readonly operators?: string;
  readonly json?: true;
}

interface Checked {
  readonly file: string;
  readonly valid: boolean;
  /** Null when there are errors. */
  readonly workflow: string | null;
  readonly steps: number | null;
  readonly problems: readonly Problem[];
}

export const defineValidate: Define = (command, { terminal, finish }) => {
  command
    .argument("<file...>", "definitions in YAML or JSON")
    .option(...VAR_FLAG, collectVariable)
    .option(...OPERATORS_FLAG)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  $ stepwell validate order.yaml
  $ stepwell validate workflows/*.yaml --operators operators.ts
  $ stepwell validate order.yaml --var region=eu --json`,
    )
    .action(async (files: readonly string[], flags: Flags) => {
      finish(await validate(files, flags, terminal.out));
    });
};

async function validate(files: readonly string[], flags: Flags, out: Output): Promise<ExitCode> {
  const catalog = catalogWith(await loadOperatorsFile(flags.operators));
  const checked: Checked[] = [];
  for (const file of files) checked.push(await check(file, catalog, flags.var));
  const valid = checked.every((one) => one.valid);
  if (flags.json === true) out.line(JSON.stringify({ valid, files: checked }, null, 2));
  else report(checked, out, flags.operators === undefined);
  return valid ? EXIT.succeeded : EXIT.usage;
}

async function check(file: string, catalog: OperatorCatalog, variables: Variables | undefined): Promise<Checked> {
  const { graph, problems } = await loadDefinition(file, catalog, variables);
  return { file, valid: !hasErrors(problems), workflow: graph?.name ?? null, steps: graph?.steps.length ?? null, problems };
}

function report(checked: readonly Checked[], out: Output, isWithoutOperators: boolean): void {
  for (const { file, valid, workflow, steps, problems } of checked) {
    for (const problem of problems) for (const line of problemLines(problem, out.paint)) out.line(line);
    if (valid) out.line(`${file}: ${out.paint.green("valid")}, workflow ${workflow} with ${plural(steps ?? 0, "step")}`);
  }
  const problems = checked.flatMap((one) => one.problems);
  if (isWithoutOperators && problems.some(({ code }) => code === "OPERATOR_UNKNOWN")) {
    out.line("Functions of your own come from a module: --operators FILE");
  }
  if (problems.length > 0) out.line(`${countProblems(problems)} in ${plural(checked.length, "file")}`);
}
