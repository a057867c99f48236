// `npm run simulate:mutants`: plants each fault into a copy of the engine and shows that the simulation fails on it.
import { parseArgs } from "node:util";
import { plantMutants } from "../../mutants/plant-mutants.ts";
import { ENDING_MUTANTS } from "./ending.ts";
import { LIMIT_MUTANTS } from "./limits.ts";
import { FIRST_MUTANTS } from "./mutants.ts";
import { TASK_MUTANTS } from "./tasks.ts";
import { WAITING_MUTANTS } from "./waiting.ts";

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "1500" }, only: { type: "string", multiple: true } },
});

plantMutants([...ENDING_MUTANTS, ...LIMIT_MUTANTS, ...TASK_MUTANTS, ...WAITING_MUTANTS, ...FIRST_MUTANTS], {
  only: values.only,
  parts: ["test/simulation"],
  command: ["test/simulation/main.ts", "--seeds", values.seeds, "--stop-at-failure"],
  extent: `${values.seeds} seeds`,
  width: 60,
  showed: ({ stdout }) => {
    const [, seed = "?", first = ""] = /^seed (\d+) .*\n\s*(.*)$/m.exec(stdout) ?? [];
    return `seed ${seed}: ${first}`;
  },
});
