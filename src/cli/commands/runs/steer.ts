import { commandsOver } from "../../../engine/commands-over.ts";
import { ACTOR_FLAG, type Define, LEDGER_FLAG } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { findRun } from "../../find-run.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";
import { whoActs } from "../../who-acts.ts";

interface Flags {
  readonly ledger: string;
  readonly as: string;
}

/** What each is called in a sentence, and what an engine that is at work does with it. */
const WORDS = {
  cancel: { name: "cancel", effect: "ends the run" },
  pause: { name: "pause", effect: "holds the run; what runs at this moment may end" },
  resume: { name: "resumption", effect: "goes on with the run" },
  retry: { name: "new try", effect: "does again what failed" },
} as const;

/** A command that steers a run, whoever owns the ledger. */
export const defineSteer =
  (kind: keyof typeof WORDS): Define =>
  (command, { terminal, finish }) => {
    const words = WORDS[kind];
    command
      .argument("<run>", "a run id, or as much of its beginning as is unique")
      .option(...ACTOR_FLAG)
      .addOption(LEDGER_FLAG)
      .action(async (idOrPrefix: string, { ledger: url, as: actor }: Flags) => {
        await using ledger = await openExistingLedger(url);
        const { publicId } = await findRun(ledger, idOrPrefix);
        const { runs } = await commandsOver(ledger, TENANT);
        await runs[kind](publicId, actor);
        terminal.out.line(`The ${words.name} of ${publicId} is accepted; ${await whoActs(url, words.effect)}`);
        finish(EXIT.succeeded);
      });
  };
