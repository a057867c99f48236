import type { Ledger, PrunableRun } from "../ledger/port.ts";
import type { InboxRow } from "../ledger/rows.ts";
import { StepwellError } from "../model/errors.ts";
import { iso } from "../model/iso-time.ts";
import { type Json, parseJsonOrNull } from "../model/json.ts";
import type { TaskDetail } from "./api.ts";
import type { Pace } from "./pace.ts";
import { type RunRecord, recordOf } from "./run-record.ts";
import { detailOf } from "./task-detail.ts";

/** Where runs are kept that are deleted from the ledger. Errors: `ARCHIVE_UNAVAILABLE`, after which nothing is deleted. */
export interface RunArchive {
  /** Takes a line, in pieces and without its end: a run may be larger than a text may be. */
  write(line: Iterable<string>): Promise<void>;
  /** Resolves once all that was written is durable. */
  flush(): Promise<void>;
  /** Ends what a pass has written; never rejects. */
  close(): Promise<void>;
}

/** A run as an archive has it: one line of JSON. */
export interface ArchivedRun extends RunRecord {
  /** The run that started it, and the step there. */
  readonly parent: { readonly run: string; readonly step: string | null } | null;
  /** All that it was sent, in acceptance order. */
  readonly signals: readonly {
    readonly at: string | null;
    readonly kind: InboxRow["kind"];
    readonly name: string | null;
    readonly id: string | null;
    readonly payload: Json;
    readonly actor: string;
  }[];
  readonly tasks: readonly TaskDetail[];
}

/** A run that should go, and stays: what the ledger has of it cannot be read. */
export interface DamagedRun {
  readonly root: PrunableRun;
  readonly error: StepwellError;
}

interface Member {
  readonly publicId: string;
  readonly parent: string | null;
}

export type ArchivedLedger = Pick<Ledger, "getRun" | "listSteps" | "listAttempts" | "listHistory" | "waits" | "tasks">;

const TASKS_AT_ONCE = 1_000;

/** Writes runs into an archive, each with all runs below it. */
export class FamilyArchive {
  readonly #ledger: ArchivedLedger;
  readonly #tenant: string;
  readonly #archive: RunArchive;
  readonly #pace: Pace;

  constructor(ledger: ArchivedLedger, tenant: string, archive: RunArchive, pace: Pace) {
    this.#ledger = ledger;
    this.#tenant = tenant;
    this.#archive = archive;
    this.#pace = pace;
  }

  /** A part of a family at a time, which whoever takes no more ends. Returns why the family cannot be archived, when it cannot. */
  async *keep(root: PrunableRun): AsyncGenerator<undefined, StepwellError | undefined> {
    const left: Member[] = [{ publicId: root.publicId, parent: null }];
    try {
      while (left.length > 0) {
        await this.#pace.working(
          (size) => this.#some(left, size),
          (runs) => runs,
        );
        yield;
      }
    } catch (cause) {
      // damage to one run must not keep all others from going, and is no reason to delete the run
      if (cause instanceof StepwellError && cause.code === "LEDGER_CORRUPT") return cause;
      throw cause;
    }
    return undefined;
  }

  flush(): Promise<void> {
    return this.#archive.flush();
  }

  close(): Promise<void> {
    return this.#archive.close();
  }

  async #some(left: Member[], size: number): Promise<number> {
    let runs = 0;
    for (let member = left.pop(); member !== undefined; member = left.pop()) {
      for (const child of await this.#ledger.waits.listChildren(this.#tenant, member.publicId))
        left.push({ publicId: child.publicId, parent: member.publicId });
      const run = await this.#read(member);
      if (run !== undefined) await this.#archive.write(jsonPieces(run));
      if (++runs >= size) break;
    }
    return runs;
  }

  /** Undefined for a run that somebody else has deleted. */
  async #read({ publicId, parent }: Member): Promise<ArchivedRun | undefined> {
    const run = await this.#ledger.getRun(this.#tenant, publicId);
    if (run === undefined) return undefined;
    const steps = await this.#ledger.listSteps(this.#tenant, publicId);
    const attempts = await this.#ledger.listAttempts(this.#tenant, publicId);
    const history = await this.#ledger.listHistory(this.#tenant, publicId);
    const signals = await this.#ledger.waits.listSignals(this.#tenant, publicId);
    return {
      ...recordOf({ run, steps, attempts, history }),
      parent: parent === null ? null : { run: parent, step: run.parentStep },
      signals: signals.map(({ acceptedAt, kind, name, signalId, payload, actor }) => ({
        at: iso(acceptedAt),
        kind,
        name,
        id: signalId,
        payload: parseJsonOrNull(payload),
        actor,
      })),
      tasks: await this.#tasksOf(publicId),
    };
  }

  async #tasksOf(runId: string): Promise<readonly TaskDetail[]> {
    const found: TaskDetail[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#ledger.tasks.list({
        tenant: this.#tenant,
        runId,
        limit: TASKS_AT_ONCE,
        ...(cursor !== undefined && { cursor }),
      });
      for (const row of page.tasks) found.push(detailOf(row));
      cursor = page.next;
    } while (cursor !== undefined);
    return found;
  }
}

/** The JSON of an object; its lists come an element at a time. */
function* jsonPieces(value: object): Generator<string> {
  let before = "{";
  const members: readonly (readonly [string, unknown])[] = Object.entries(value);
  for (const [name, member] of members) {
    yield `${before}${JSON.stringify(name)}:`;
    before = ",";
    if (Array.isArray(member)) yield* listPieces(member);
    else yield JSON.stringify(member);
  }
  yield "}";
}

function* listPieces(list: readonly unknown[]): Generator<string> {
  yield "[";
  for (const [index, element] of list.entries()) yield `${index === 0 ? "" : ","}${JSON.stringify(element)}`;
  yield "]";
}
