import type { StoreKind } from "./storage/store.ts";

/**
 * Seeds that once showed something, and what. A seed is a world only for as long as programs grow as they did, so what it showed has
 * a test of its own as well; here it stands to be run again by whoever changes either.
 */
export const REGRESSION_SEEDS: readonly { readonly seed: number; readonly ledger: StoreKind; readonly showed: string }[] = [
  { seed: 11, ledger: "memory", showed: "a run that waited and whose rest was skipped could not end" },
  { seed: 193, ledger: "memory", showed: "a signal before the first commit of a taking over left a step RUNNING for ever" },
  { seed: 390, ledger: "memory", showed: "a held run went on with its retries and was never let go" },
  { seed: 1_217, ledger: "memory", showed: "a held run started what was ready in it" },
  { seed: 1_408, ledger: "memory", showed: "a resume and a cancel read together began a step" },
  { seed: 8_388, ledger: "memory", showed: "the grace of a cancel was over while the run was read back, and its step settled twice" },
];
