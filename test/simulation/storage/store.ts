import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMemoryLedger } from "../../../src/ledger/memory/ledger.ts";
import type { Ledger } from "../../../src/ledger/port.ts";
import { openDatabase } from "../../../src/ledger/sqlite/connection.ts";
import { sqliteLedgerOn } from "../../../src/ledger/sqlite/ledger.ts";
import { verifySqlite } from "../../../src/ledger/sqlite/verify.ts";
import { brokenAdmission } from "../oracle/admission-rows.ts";
import type { Kernel } from "../time/kernel.ts";
import type { SimProcess } from "../time/process.ts";

/** Simulated crashes lose no page of a file, so the file need not be on a disk. */
const IN_MEMORY = "/dev/shm";

/** Checks that wall clocks break which differ by a day from one process to the next. */
const BY_THE_CLOCK: ReadonlySet<string> = new Set(["run-times", "step-times", "inbox-order"]);

/** What outlives every process of a simulation. */
export interface Store {
  /** Whether a commit that a dead process had sent may still be written. */
  readonly hasZombies: boolean;
  /** A connection of its own for one process; `abandon` is what the process's death does to it. */
  connect(process: SimProcess): Promise<Connection>;
  /** What breaks the invariants of its rows. */
  verify(): Promise<readonly string[]>;
  /** Whether it may be verified whenever something has happened. */
  readonly isCheap: boolean;
  destroy(): void;
}

export interface Connection {
  readonly ledger: Ledger;
  abandon(): void;
}

export type StoreKind = "memory" | "sqlite";

export function openStore(kind: StoreKind, kernel: Kernel): Store {
  return kind === "memory" ? memoryStore(kernel) : sqliteStore();
}

/** The memory ledger stands for a server: it has a clock of its own and outlives its clients' connections. */
function memoryStore(kernel: Kernel): Store {
  const ledger = openMemoryLedger({
    clock: { now: () => kernel.nowMs },
    // the simulated ledger around it decides when a commit is answered
    turns: { soon: (callback) => callback() },
  });
  return {
    hasZombies: true,
    connect: async () => ({ ledger, abandon: () => undefined }),
    verify: async () => brokenAdmission(ledger.rows),
    isCheap: true,
    destroy: () => undefined,
  };
}

/** The real ledger in a file; each process has its own connection, and its wall clock is the ledger's. */
function sqliteStore(): Store {
  const directory = mkdtempSync(join(existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir(), "stepwell-simulation-"));
  const file = join(directory, "ledger.db");
  const open = new Set<() => void>();
  return {
    hasZombies: false,
    connect: async (process) => {
      const ledger = sqliteLedgerOn(await openDatabase(file, 0), { file, clock: process, onWarning: () => undefined });
      // a kernel closes the files of a dead process, its lock included; nothing is flushed and nobody says goodbye
      const abandon = (): void => {
        if (open.delete(abandon)) void ledger.close();
      };
      open.add(abandon);
      return { ledger, abandon };
    },
    verify: async () => {
      const { checks } = await verifySqlite(file);
      return checks
        .filter(({ id }) => !BY_THE_CLOCK.has(id))
        .flatMap(({ id, first }) => first.map(({ run, found }) => `${id}: ${run ?? ""} ${found}`));
    },
    isCheap: false,
    destroy: () => {
      for (const abandon of open) abandon();
      rmSync(directory, { recursive: true });
    },
  };
}
