import { describe } from "vitest";
import { sharedDatabase } from "../../test/fixtures/postgres/file-database.ts";
import { memoryLedgers, postgresLedgers, sqliteLedgers, threadedLedgers } from "../testing/conformance/ledger/backends.ts";
import { describeLedgerConformance } from "../testing/conformance/ledger/conformance.ts";

describeLedgerConformance("memory", memoryLedgers, { isShared: false });
describeLedgerConformance("SQLite", sqliteLedgers, { isShared: false });
describeLedgerConformance("SQLite in a thread", threadedLedgers, { isShared: false });

describe("in a database", () => {
  describeLedgerConformance("PostgreSQL", postgresLedgers(sharedDatabase()), { isShared: true });
});
