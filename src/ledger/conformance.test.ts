import { memoryLedgers, sqliteLedgers } from "../testing/conformance/ledger/backends.ts";
import { describeLedgerConformance } from "../testing/conformance/ledger/conformance.ts";

describeLedgerConformance("memory", memoryLedgers);
describeLedgerConformance("SQLite", sqliteLedgers);
