import { Option } from "commander";
import { assertNever, StepwellError } from "../../model/errors.ts";
import { drawDot, drawMermaid, type Graph } from "../../workflow/index.ts";
import { collectVariable, type Define, VAR_FLAG, type Variables } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { loadDefinition } from "../load-definition.ts";
import { countProblems, problemLines } from "../report-error.ts";
import type { Terminal } from "../terminal.ts";

type Format = "mermaid" | "dot" | "json";

interface Flags {
  readonly format: Format;
  readonly var?: Variables;
}

export const defineGraph: Define = (command, { terminal, finish }) => {
  command
    .argument("<file>", "a definition in YAML or JSON")
    .addOption(new Option("--format <format>", "what to draw").choices(["mermaid", "dot", "json"]).default("mermaid"))
    .option(...VAR_FLAG, collectVariable)
    .addHelpText(
      "after",
      `
Thick or bold edges are branches of a switch, solid ones are needs; dotted or dashed ones were found by Stepwell.

Examples:
  $ stepwell graph order.yaml
  $ stepwell graph order.yaml --format dot | dot -Tsvg > order.svg`,
    )
    .action(async (file: string, flags: Flags) => {
      finish(await draw(file, flags, terminal));
    });
};

async function draw(file: string, { format, var: variables }: Flags, { out, err }: Terminal): Promise<ExitCode> {
  const { graph, problems } = await loadDefinition(file, null, variables);
  if (graph !== undefined) {
    out.write(drawing(graph, format));
    return EXIT.succeeded;
  }
  for (const problem of problems) for (const line of problemLines(problem, err.paint)) err.line(line);
  throw new StepwellError("DEFINITION_INVALID", `${file} has ${countProblems(problems)}`);
}

function drawing(graph: Graph, format: Format): string {
  switch (format) {
    case "mermaid":
      return drawMermaid(graph);
    case "dot":
      return drawDot(graph);
    case "json":
      return `${JSON.stringify(asData(graph), null, 2)}\n`;
    default:
      return assertNever(format, "the format of a graph");
  }
}

function asData({ name, version, steps, edges }: Graph): object {
  const idOf = (ordinal: number): string | undefined => steps[ordinal]?.id;
  return {
    name,
    version,
    steps: steps.map(({ id, uses, join, onError }) => ({ id, uses, join, onError })),
    edges: edges.map(({ from, to, ...edge }) => ({ from: idOf(from), to: idOf(to), ...edge })),
  };
}
