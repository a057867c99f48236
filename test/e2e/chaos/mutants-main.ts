// `npm run chaos:mutants`: plants each fault into a copy of the engine and shows that chaos fails on it.
import { parseArgs } from "node:util";
import { plantMutants } from "../../mutants/plant-mutants.ts";
import { MUTANTS } from "./mutants.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "4" },
    seed: { type: "string", default: "1" },
    only: { type: "string", multiple: true },
  },
});

plantMutants(MUTANTS, {
  only: values.only,
  parts: ["test", "scripts", "tools"],
  command: ["test/e2e/chaos/main.ts", "--minutes", values.minutes, "--seed", values.seed, "--stop-at-failure"],
  extent: `${values.minutes} minutes`,
  width: 140,
  showed: ({ stdout, stderr }) => /^seed \d+: .*$/m.exec(stdout)?.[0] ?? stderr,
});
