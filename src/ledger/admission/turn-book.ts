import { together, type Work } from "../work.ts";
import type { TurnRow } from "./rows.ts";
import type { AdmissionTables } from "./tables.ts";

/** The tenant under which a group's virtual time stands. */
const GROUP = "";
/** What admitting one run adds to the virtual time of a tenant of weight 1. */
const STRIDE = 1_000_000;

/** Whose turn it is: the tenants of worker groups that an open transaction looks at, each read and written once. */
export class TurnBook {
  readonly #tables: AdmissionTables;
  readonly #rows = new Map<string, TurnRow>();
  readonly #changed = new Set<string>();
  /** Groups of which every tenant with something ready is among the rows. */
  readonly #known = new Set<string>();
  /** Of tenants with a turn. */
  readonly #strides = new Map<string, number>();

  constructor(tables: AdmissionTables) {
    this.#tables = tables;
  }

  /** More partitions (or, below zero, less) of a tenant are ready. Who comes back begins where the others are. */
  *readied(workerGroup: string, tenant: string, partitions: number): Work<void> {
    yield* this.#know(workerGroup, [tenant, GROUP]);
    const row = this.#of(workerGroup, tenant);
    const isBack = row.ready === 0 && partitions > 0;
    const pass = isBack ? Math.max(row.pass, this.#of(workerGroup, GROUP).pass) : row.pass;
    this.#enter({ ...row, ready: Math.max(0, row.ready + partitions), pass });
  }

  /**
   * Divides room among the tenants of a group that have something ready, each as many times as its turn comes.
   *
   * @returns the turns with how many runs each may have
   */
  *divide(workerGroup: string, room: number): Work<readonly { readonly turn: TurnRow; readonly most: number }[]> {
    // what this transaction has changed decides, and is not written yet
    yield* this.save();
    const [turns] = yield* together(this.#tables.turns(workerGroup, room), this.#know(workerGroup, [GROUP]));
    if (turns.length < room) this.#known.add(workerGroup);
    else this.#known.delete(workerGroup);
    for (const { turn, weight } of turns) {
      this.#rows.set(keyOf(turn), turn);
      this.#strides.set(turn.tenant, strideOf(weight));
    }
    const standing = turns.map(({ turn }) => ({ turn, pass: turn.pass, most: 0, stride: this.#strideOf(turn.tenant) }));
    for (let left = room; left > 0 && standing.length > 0; left--) {
      let next = standing[0];
      for (const each of standing) if (next === undefined || each.pass < next.pass) next = each;
      if (next === undefined) break;
      next.pass += next.stride;
      next.most += 1;
    }
    return standing.filter(({ most }) => most > 0).map(({ turn, most }) => ({ turn, most }));
  }

  /** Whether a tenant of the group may have something ready; without asking, where all that have were found before. */
  mayHaveReady(workerGroup: string): boolean {
    if (!this.#known.has(workerGroup)) return true;
    return [...this.#rows.values()].some((row) => row.workerGroup === workerGroup && row.ready > 0);
  }

  /** So many runs of a tenant that had a turn were admitted. */
  *admitted(workerGroup: string, tenant: string, runs: number): Work<void> {
    if (runs === 0) return;
    yield* this.#know(workerGroup, [tenant, GROUP]);
    const stride = this.#strideOf(tenant);
    const row = this.#of(workerGroup, tenant);
    const group = this.#of(workerGroup, GROUP);
    // where the last of them began
    this.#enter({ ...group, pass: Math.max(group.pass, row.pass + (runs - 1) * stride) });
    this.#enter({ ...row, pass: row.pass + runs * stride });
  }

  *save(): Work<void> {
    const changed = [...this.#changed].map((key) => this.#rows.get(key)).filter((row) => row !== undefined);
    this.#changed.clear();
    yield* this.#tables.put("turn", changed);
  }

  /** Reads the rows of these tenants, all at once: what follows asks for them one by one. */
  *knowAll(standing: readonly Pick<TurnRow, "workerGroup" | "tenant">[]): Work<void> {
    yield* together(
      ...[...Map.groupBy(standing, ({ workerGroup }) => workerGroup)].map(([workerGroup, of]) =>
        this.#know(workerGroup, [GROUP, ...of.map(({ tenant }) => tenant)]),
      ),
    );
  }

  /** Of which it has rows. */
  workerGroups(): readonly string[] {
    return [...this.#rows.values()].map(({ workerGroup }) => workerGroup);
  }

  *#know(workerGroup: string, tenants: readonly string[]): Work<void> {
    const missing = [...new Set(tenants)].filter((tenant) => !this.#rows.has(keyOf({ workerGroup, tenant })));
    if (missing.length === 0) return;
    for (const tenant of missing) this.#rows.set(keyOf({ workerGroup, tenant }), { workerGroup, tenant, ready: 0, pass: 0 });
    for (const row of yield* this.#tables.turnsOf(workerGroup, missing)) this.#rows.set(keyOf(row), row);
  }

  #strideOf(tenant: string): number {
    return this.#strides.get(tenant) ?? STRIDE;
  }

  #of(workerGroup: string, tenant: string): TurnRow {
    return this.#rows.get(keyOf({ workerGroup, tenant })) ?? { workerGroup, tenant, ready: 0, pass: 0 };
  }

  #enter(row: TurnRow): void {
    this.#rows.set(keyOf(row), row);
    this.#changed.add(keyOf(row));
  }
}

const keyOf = ({ workerGroup, tenant }: Pick<TurnRow, "workerGroup" | "tenant">): string => JSON.stringify([workerGroup, tenant]);
const strideOf = (weight: number): number => Math.max(1, Math.round(STRIDE / weight));
