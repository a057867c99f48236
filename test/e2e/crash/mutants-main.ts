// `npm run chaos:crash:mutants`: plants each fault into a copy of the engine and shows that the crash matrix fails on it.
import { parseArgs } from "node:util";
import { plantMutants } from "../../mutants/plant-mutants.ts";
import { MUTANTS } from "./mutants.ts";

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "120" },
    seed: { type: "string", default: "1" },
    only: { type: "string", multiple: true },
  },
});

plantMutants(MUTANTS, {
  only: values.only,
  parts: ["test/e2e", "test/simulation/oracle"],
  command: ["test/e2e/crash/main.ts", "--schedules", values.schedules, "--seed", values.seed, "--stop-at-failure"],
  extent: `${values.schedules} schedules`,
  width: 100,
  showed: ({ stdout, stderr }) => /^(?:seed \d+: .*|Error: without a crash.*)$/m.exec(`${stdout}\n${stderr}`)?.[0] ?? stderr,
});
