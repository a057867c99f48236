// `npm run chaos:redis -- --times 200 --seed 7`: workers whose Redis loses everything while they work.
import { parseArgs } from "node:util";
import { surviveLosses, textOf } from "./losses.ts";

const { values } = parseArgs({ options: { times: { type: "string", default: "200" }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const times = Number(values.times);

console.log(`seed ${seed}`);
const finding = await surviveLosses(times, seed, (done) => {
  if (done % 20 === 0) console.log(`${done} of ${times}`);
});
for (const line of [...finding.lost.map((what) => `lost: ${what}`), ...finding.repeated.map((what) => `repeated: ${what}`)])
  console.log(line);
console.log(textOf(finding, seed));
process.exitCode = finding.lost.length + finding.repeated.length === 0 ? 0 : 1;
