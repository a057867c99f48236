import { liveOwnerOf } from "../../../ledger/url.ts";
import { type Define, LEDGER_FLAG } from "../../command.ts";
import { EXIT } from "../../exit-codes.ts";
import { findRun } from "../../find-run.ts";
import { openExistingLedger, TENANT } from "../../open-ledger.ts";

interface Flags {
  readonly ledger: string;
}

export const defineCancel: Define = (command, { terminal, finish }) => {
  command
    .argument("<run>", "a run id, or as much of its beginning as is unique")
    .option(...LEDGER_FLAG)
    .action(async (idOrPrefix: string, { ledger: url }: Flags) => {
      await using ledger = await openExistingLedger(url);
      const { publicId } = await findRun(ledger, idOrPrefix);
      await ledger.accept({ tenant: TENANT, publicId, kind: "cancel", payload: null, actor: "cli" });
      const owner = await liveOwnerOf(url);
      const effect =
        owner === undefined
          ? "no engine is at work on this ledger, so it takes effect when one is"
          : `the engine (process ${owner.pid} on ${owner.host}) ends the run`;
      terminal.out.line(`The cancel of ${publicId} is accepted; ${effect}`);
      finish(EXIT.succeeded);
    });
};
