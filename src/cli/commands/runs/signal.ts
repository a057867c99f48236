import { liveOwnerOf } from "../../../ledger/url.ts";
import { type Define, LEDGER_FLAG } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { findRun } from "../../find-run.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";

interface Flags {
  readonly ledger: string;
}

/** What each signal is called in a sentence, and what an engine that is at work does with it. */
const WORDS = {
  cancel: { name: "cancel", effect: "ends the run" },
  resume: { name: "resumption", effect: "goes on with the run" },
} as const;

/** A command that sends a run a signal, whoever owns the ledger. */
export const defineSignal =
  (kind: keyof typeof WORDS): Define =>
  (command, { terminal, finish }) => {
    const words = WORDS[kind];
    command
      .argument("<run>", "a run id, or as much of its beginning as is unique")
      .option(...LEDGER_FLAG)
      .action(async (idOrPrefix: string, { ledger: url }: Flags) => {
        await using ledger = await openExistingLedger(url);
        const { publicId } = await findRun(ledger, idOrPrefix);
        await ledger.accept({ tenant: TENANT, publicId, kind, payload: null, actor: "cli" });
        const owner = await liveOwnerOf(url);
        const effect =
          owner === undefined
            ? "no engine is at work on this ledger, so it takes effect when one is"
            : `the engine (process ${owner.pid} on ${owner.host}) ${words.effect}`;
        terminal.out.line(`The ${words.name} of ${publicId} is accepted; ${effect}`);
        finish(EXIT.succeeded);
      });
  };
