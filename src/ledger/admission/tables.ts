import type { TenantShare } from "../placement.ts";
import type { Work } from "../work.ts";
import type {
  AdmissionNote,
  AdmissionRows,
  AdmissionTable,
  Front,
  GatheringRow,
  LimiterRow,
  PartitionRow,
  SlotRow,
  TurnRow,
  WeightedTurn,
} from "./rows.ts";

/** The tables of admission in an open transaction. Lists may be empty; then nothing is asked. */
export interface AdmissionTables {
  /** Inserts rows, or replaces those that have their keys. */
  put<T extends AdmissionTable>(table: T, rows: readonly AdmissionRows[T][]): Work<void>;
  /** Deletes rows by their keys. */
  drop<T extends AdmissionTable>(table: T, rows: readonly AdmissionRows[T][]): Work<void>;
  /** The highest id that was given out; 0 without any. */
  lastId(table: "limiter" | "queue_partition"): Work<number>;

  /** Notes whose time has come, the oldest first. */
  notes(limit: number): Work<readonly AdmissionNote[]>;
  dropNotes(ids: readonly number[]): Work<void>;

  limiters(ids: readonly number[]): Work<readonly LimiterRow[]>;
  limitersNamed(tenant: string, names: readonly string[]): Work<readonly LimiterRow[]>;
  /** Deletes up to `limit` rates that nobody needs and that are not used up: made anew they would be the same. */
  forgetRates(limit: number): Work<void>;
  /** Rates for which partitions stand aside although one more may be admitted by now. */
  openRates(limit: number): Work<readonly LimiterRow[]>;
  slotsOf(runIds: readonly number[]): Work<readonly SlotRow[]>;
  /** The runs that hold a limiter's slots, the oldest first. */
  holders(limiterId: number, limit: number): Work<readonly number[]>;

  partitionsNamed(names: readonly string[]): Work<readonly PartitionRow[]>;
  /** Of each turn up to `most` of its partitions that do not stand aside, those with the lowest heads first. */
  ready(turns: readonly { readonly turn: TurnRow; readonly most: number }[]): Work<readonly PartitionRow[]>;
  /** Those that stand aside for a limiter, with the lowest heads first. */
  aside(limiterId: number, limit: number): Work<readonly PartitionRow[]>;
  /** The front of each partition that has one: up to `most` entries, in order. */
  fronts(partitions: readonly { readonly id: number; readonly most: number }[]): Work<readonly Front[]>;

  /** Those of a group that have something ready, in the order of their turn. */
  turns(workerGroup: string, limit: number): Work<readonly WeightedTurn[]>;
  turnsOf(workerGroup: string, tenants: readonly string[]): Work<readonly TurnRow[]>;
  workerGroups(): Work<readonly string[]>;
  /** When the next note is due, or the next rate has room for those that stand aside for it; null: nothing waits for time. */
  nextTime(): Work<number | null>;
  shares(tenants: readonly string[]): Work<readonly TenantShare[]>;

  /**
   * Gives runs that ask for their turn to an engine, unless they are paused, have ended, or an engine has them; returns those that it has
   * given. Those that get a slot, or have kept one, are marked as holding it: somebody must hear of their end.
   */
  own(runs: readonly { readonly runId: number; readonly getsSlot: boolean }[], epoch: number): Work<readonly number[]>;
  gathering(tenant: string, name: string): Work<GatheringRow | undefined>;
  /** The input of a run that starts may still join. */
  gathered(runId: number): Work<string | undefined>;
  /**
   * Moves the turn of such a run, with another input unless that is null; returns its public id, or undefined when it is not there to be
   * joined any more.
   */
  regather(runId: number, input: string | null, dueAt: number): Work<string | undefined>;
  /** Those of the runs that an engine could be given now, and that nobody has cancelled. */
  asking(runIds: readonly number[]): Work<readonly number[]>;
  /** They do not ask for their turn any more. */
  unask(runIds: readonly number[]): Work<void>;
}
