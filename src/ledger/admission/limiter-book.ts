import { together, type Work } from "../work.ts";
import type { LimiterRow } from "./rows.ts";
import type { AdmissionTables } from "./tables.ts";

/** What a version of a workflow says about a limiter. */
export interface LimiterTerms {
  readonly name: string;
  readonly limitedTo: number;
  readonly periodMs: number | null;
}

/** A limiter as far as the open transaction has used it. */
export class Limiter {
  row: LimiterRow;
  isChanged: boolean;
  readonly #nowUs: number;

  constructor(row: LimiterRow, now: number, isNew: boolean) {
    this.row = row;
    this.isChanged = isNew;
    this.#nowUs = now * 1_000;
  }

  /** How many more it admits now. */
  get room(): number {
    const { limitedTo, periodMs, held, usedUntilUs } = this.row;
    if (periodMs === null) return Math.max(0, limitedTo - held);
    const backlogUs = Math.max(0, usedUntilUs - this.#nowUs);
    return Math.max(0, Math.floor((periodMs * 1_000 - backlogUs) / this.#intervalUs));
  }

  get #intervalUs(): number {
    const { limitedTo, periodMs } = this.row;
    return ((periodMs ?? 0) * 1_000) / limitedTo;
  }

  /** One more is admitted. */
  take(): void {
    const { periodMs, held, usedUntilUs } = this.row;
    if (periodMs === null) this.change({ held: held + 1 });
    else this.#used(Math.max(usedUntilUs, this.#nowUs) + this.#intervalUs);
  }

  /** One that was taken is not needed. */
  giveBack(): void {
    if (this.row.periodMs === null) this.free();
    else this.#used(this.row.usedUntilUs - this.#intervalUs);
  }

  /** Nobody would miss its row: made anew it would be the same. */
  get isIdle(): boolean {
    const { held, partitions, usedUntilUs } = this.row;
    return held === 0 && partitions === 0 && usedUntilUs <= this.#nowUs;
  }

  free(): void {
    this.change({ held: Math.max(0, this.row.held - 1) });
  }

  /** More partitions need it, or stand aside for it; below zero, less. */
  count({ partitions = 0, aside = 0 }: { readonly partitions?: number; readonly aside?: number }): void {
    this.change({ partitions: this.row.partitions + partitions, aside: this.row.aside + aside });
  }

  change(columns: Partial<LimiterRow>): void {
    this.row = { ...this.row, ...columns };
    this.isChanged = true;
  }

  #used(untilUs: number): void {
    const { periodMs } = this.row;
    const openAt = Math.ceil((untilUs + this.#intervalUs) / 1_000) - (periodMs ?? 0);
    this.change({ usedUntilUs: Math.round(untilUs), openAt });
  }
}

/** The limiters that an open transaction looks at: each is read once, and written once. */
export class LimiterBook {
  readonly #tables: AdmissionTables;
  readonly #now: number;
  readonly #byId = new Map<number, Limiter>();
  readonly #byName = new Map<string, Limiter>();
  /** Names that were looked for, whether they were there or not. */
  readonly #askedFor = new Set<string>();
  #lastId: number | undefined;

  constructor(tables: AdmissionTables, now: number) {
    this.#tables = tables;
    this.#now = now;
  }

  all(): readonly Limiter[] {
    return [...this.#byId.values()];
  }

  /** Those that were loaded before, or are there no more, are left out of the reading. */
  *load(ids: readonly number[]): Work<void> {
    const missing = [...new Set(ids)].filter((id) => !this.#byId.has(id));
    if (missing.length === 0) return;
    for (const row of yield* this.#tables.limiters(missing)) this.has(row);
  }

  /** Of one that was loaded. */
  get(id: number): Limiter | undefined {
    return this.#byId.get(id);
  }

  has(row: LimiterRow): Limiter {
    return this.#byId.get(row.id) ?? this.#enter(row);
  }

  /** Reads what there is of these limiters, all at once: what follows asks for them one by one. */
  *knowAll(asked: readonly { readonly tenant: string; readonly needed: readonly { readonly id: string }[] }[]): Work<void> {
    yield* together(
      ...[...Map.groupBy(asked, ({ tenant }) => tenant)].map(([tenant, of]) =>
        this.#know(
          tenant,
          of.flatMap(({ needed }) => needed.map(({ id }) => id)),
        ),
      ),
    );
  }

  *#know(tenant: string, names: readonly string[]): Work<void> {
    const missing = new Map(names.map((name) => [keyOf(tenant, name), name]));
    for (const key of missing.keys()) if (this.#askedFor.has(key)) missing.delete(key);
    if (missing.size === 0) return;
    for (const row of yield* this.#tables.limitersNamed(tenant, [...missing.values()])) this.has(row);
    for (const key of missing.keys()) this.#askedFor.add(key);
  }

  /** The limiters of these names, made where they are missing; a newer version says anew what they allow. */
  *named(tenant: string, versionId: number, terms: readonly LimiterTerms[]): Work<readonly Limiter[]> {
    yield* this.#know(
      tenant,
      terms.map(({ name }) => name),
    );
    const found: Limiter[] = [];
    for (const { name, limitedTo, periodMs } of terms) {
      const limiter = this.#byName.get(keyOf(tenant, name));
      if (limiter === undefined) found.push(yield* this.#make({ tenant, name, versionId, limitedTo, periodMs }));
      else {
        const { row } = limiter;
        const isNews = versionId >= row.versionId && (row.limitedTo !== limitedTo || row.periodMs !== periodMs);
        if (isNews) limiter.change({ versionId, limitedTo, periodMs });
        found.push(limiter);
      }
    }
    return found;
  }

  *save(): Work<void> {
    const changed = this.all().filter(({ isChanged }) => isChanged);
    const rowsOf = (limiters: readonly Limiter[]): readonly LimiterRow[] => limiters.map(({ row }) => row);
    yield* this.#tables.put("limiter", rowsOf(changed.filter(({ isIdle }) => !isIdle)));
    yield* this.#tables.drop("limiter", rowsOf(changed.filter(({ isIdle }) => isIdle)));
    for (const limiter of changed) limiter.isChanged = false;
  }

  *#make(terms: Omit<LimiterRow, "id" | "held" | "usedUntilUs" | "openAt" | "partitions" | "aside">): Work<Limiter> {
    this.#lastId ??= yield* this.#tables.lastId("limiter");
    const row = { ...terms, id: ++this.#lastId, held: 0, usedUntilUs: 0, openAt: 0, partitions: 0, aside: 0 };
    return this.#enter(row, true);
  }

  #enter(row: LimiterRow, isNew = false): Limiter {
    const limiter = new Limiter(row, this.#now, isNew);
    this.#byId.set(row.id, limiter);
    this.#byName.set(keyOf(row.tenant, row.name), limiter);
    return limiter;
  }
}

const keyOf = (tenant: string, name: string): string => JSON.stringify([tenant, name]);
