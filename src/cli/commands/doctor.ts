import { VERSION } from "../../main/version.ts";
import { type Define, LEDGER_FLAG } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { table } from "../layout.ts";
import { type Finding, ledgerFindings } from "../ledger-findings.ts";
import { nodeTooOld } from "../node-version.ts";
import { defineVerify } from "./verify.ts";

interface Flags {
  readonly ledger: string;
  readonly json?: true;
}

export const defineDoctor: Define = (command, session) => {
  const { terminal, finish } = session;
  defineVerify(command.command("verify").description("hold a ledger against everything that must be true of it"), session);
  command
    .addOption(LEDGER_FLAG)
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nChanges nothing. Exit codes: 0 all is well, 1 something is wrong.")
    .action(async ({ ledger, json }: Flags) => {
      const findings = [...machine(), ...(await ledgerFindings(ledger))];
      const isWell = findings.every(({ ok }) => ok);
      const { out } = terminal;
      if (json === true) out.line(JSON.stringify({ ok: isWell, findings }, null, 2));
      else {
        const rows = findings.map(({ what, ok, found }) => [ok ? "ok" : "WRONG", what, found]);
        for (const line of table([{ title: "" }, { title: "" }, { title: "" }], rows)) {
          out.line(line.replace(/^(?:ok|WRONG)/, (mark) => (mark === "ok" ? out.paint.green(mark) : out.paint.red(mark))));
        }
      }
      finish(isWell ? EXIT.succeeded : EXIT.failed);
    });
};

function machine(): readonly Finding[] {
  const { node } = process.versions;
  return [
    { what: "Stepwell", ok: true, found: VERSION },
    { what: "Node.js", ok: nodeTooOld(node) === undefined, found: `${node} on ${process.platform} ${process.arch}` },
  ];
}
