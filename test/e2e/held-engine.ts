/**
 * An engine whose attempts are held before their operator is called: argument 1 is the ledger's file. It starts two runs with
 * room for one, says what happens in lines, and lets the attempts go when it is told `go`.
 */
import { once } from "node:events";
import { Stepwell } from "../../src/index.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const go = once(process.stdin, "data");

await using stepwell = new Stepwell({
  ledger: process.argv[2] ?? "",
  concurrency: { runs: 1 },
  operators: { work: (_input, { stepId, runId }) => say(`called ${stepId} ${runId}`) },
  interceptors: [
    async ({ stepId }, next) => {
      say(`held ${stepId}`);
      await go;
      return next();
    },
  ],
});
await stepwell.register({
  name: "held",
  steps: [
    { id: "a", uses: "work" },
    { id: "b", uses: "work" },
    { id: "c", uses: "work" },
  ],
});
const first = await stepwell.start("held");
say(`started ${first}`);
const second = await stepwell.start("held");
say(`queued ${second}`);
for (const id of [first, second]) say(`ended-${id} ${(await stepwell.result(id)).status}`);
process.stdin.destroy();
