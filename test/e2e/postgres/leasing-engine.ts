/**
 * One of several engines on a PostgreSQL: `url, milliseconds of its lease`. It says which operators it calls and why it ends, and takes
 * words: `start NAME` starts a run, `result ID` waits for one, `go` lets a held step end here.
 */
import { createInterface } from "node:readline";
import { Stepwell, StepwellError } from "../../../src/index.ts";
import { openPostgresLedger } from "../../../src/ledger/postgres/ledger.ts";

const [url = "", leaseMs = ""] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const gone = Promise.withResolvers<void>();

const stepwell = new Stepwell({
  ledger: await openPostgresLedger({ url, leaseMs: Number(leaseMs) }),
  operators: {
    note: (_input, { stepId }) => say(`called ${stepId}`),
    hold: async (_input, { stepId, signal }) => {
      say(`called ${stepId}`);
      signal.addEventListener("abort", () => say(`aborted ${stepId}`));
      await gone.promise;
      say(`returns ${stepId}`);
    },
  },
});
stepwell.listen((event) => {
  if (event.type === "ledger.failed") say(`failed ${event.error.code}`);
  if (event.type === "ledger.owned") say(`owns ${event.epoch}`);
});
await stepwell.register({
  name: "leased",
  steps: [
    { id: "a", uses: "note" },
    { id: "b", uses: "hold" },
    { id: "c", uses: "note" },
  ],
});
say("ready now");

async function obey(word: string, argument: string): Promise<void> {
  if (word === "go") gone.resolve();
  if (word === "start") say(`started ${argument} ${await stepwell.start("leased")}`);
  if (word === "result") say(`ended ${argument} ${(await stepwell.result(argument)).status}`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [word = "", argument = ""] = line.split(" ");
  void obey(word, argument).catch((error: unknown) =>
    say(`refused ${word} ${error instanceof StepwellError ? error.code : String(error)}`),
  );
}
