import { existsSync } from "node:fs";
import { inspectLedger, ledgerFile, liveOwnerOf, openLedger } from "../../ledger/url.ts";
import { VERSION } from "../../main/version.ts";
import { StepwellError } from "../../model/errors.ts";
import { type Define, LEDGER_FLAG } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { oneLine, plural, table } from "../layout.ts";
import { nodeTooOld } from "../node-version.ts";
import { COUNTED_RUNS } from "../run-plan.ts";

interface Flags {
  readonly ledger: string;
  readonly json?: true;
}

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
}

export const defineDoctor: Define = (command, { terminal, finish }) => {
  command
    .option(...LEDGER_FLAG)
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

async function ledgerFindings(url: string): Promise<readonly Finding[]> {
  const file = ledgerFile(url);
  if (file === undefined) return [{ what: "Ledger", ok: true, found: "in memory: it ends with its process" }];
  if (!existsSync(file)) return [{ what: "Ledger", ok: true, found: `${file} does not exist yet; the first run makes it` }];
  try {
    return [...(await inspectFile(url)), ...(await openAndCount(url)), await ownership(url)];
  } catch (error) {
    return [{ what: "Ledger", ok: false, found: describe(error) }];
  }
}

async function inspectFile(url: string): Promise<readonly Finding[]> {
  const inspection = await inspectLedger(url);
  if (inspection === undefined) return [];
  const { file, bytes, sqliteVersion, journalMode, migrations, damage } = inspection;
  return [
    { what: "Ledger", ok: true, found: `${file}, ${plural(bytes, "byte")}` },
    { what: "SQLite", ok: true, found: sqliteVersion },
    { what: "Journal", ok: journalMode === "wal", found: journalMode },
    { what: "Integrity", ok: damage.length === 0, found: damage.length === 0 ? "sound" : damage.slice(0, 5).join("; ") },
    {
      what: "Schema",
      ok: migrations.applied === migrations.known,
      found: `migration ${migrations.applied} of ${migrations.known}`,
    },
  ];
}

/** Opening refuses settings that are less durable than promised. */
async function openAndCount(url: string): Promise<readonly Finding[]> {
  const ledger = await openLedger(url);
  try {
    const { length } = await ledger.unfinished(0, COUNTED_RUNS + 1);
    const count = length > COUNTED_RUNS ? `more than ${COUNTED_RUNS}` : String(length);
    return [
      { what: "Durability", ok: true, found: "write-ahead log, synchronous=FULL: every commit is on disk before it counts" },
      { what: "Unfinished runs", ok: true, found: count },
    ];
  } finally {
    await ledger.close();
  }
}

async function ownership(url: string): Promise<Finding> {
  const owner = await liveOwnerOf(url);
  const found = owner === undefined ? "none" : `${owner.name}, process ${owner.pid} on ${owner.host}, Stepwell ${owner.version}`;
  return { what: "Engine", ok: true, found };
}

function describe(error: unknown): string {
  if (error instanceof StepwellError) return oneLine(`${error.code}: ${error.message}`);
  return oneLine(error instanceof Error ? error.message : String(error));
}
