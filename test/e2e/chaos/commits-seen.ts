import { query } from "../../fixtures/postgres/database.ts";
import { KNOWN } from "./versions.ts";

/**
 * Every commit of a worker takes a lane of it on: the server notes those of workers that it holds for fenced, and of which version
 * those were that worked beside another one.
 */
export class CommitsSeen {
  readonly #url: string;
  readonly #schema: string;

  constructor(url: string, schema: string) {
    this.#url = url;
    this.#schema = schema;
  }

  async watch(): Promise<void> {
    const { names } = this;
    await query(
      this.#url,
      `CREATE TABLE ${names.table} (epoch bigint, token bigint, version text, is_stale boolean, is_beside boolean);
       CREATE FUNCTION ${names.note}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO ${names.table} SELECT NEW.epoch, NEW.token, w.version, w.fenced_at IS NOT NULL,
           EXISTS (SELECT 1 FROM ${this.#schema}.migration WHERE number > ${KNOWN}) FROM ${this.#schema}.worker w WHERE w.epoch = NEW.epoch;
         RETURN NEW;
       END $$;
       CREATE TRIGGER commits_seen AFTER UPDATE ON ${this.#schema}.lane FOR EACH ROW EXECUTE FUNCTION ${names.note}()`,
    );
  }

  async stale(): Promise<readonly string[]> {
    const rows = await query(this.#url, `SELECT epoch, token FROM ${this.names.table} WHERE is_stale`);
    return rows.map(({ epoch, token }) => `engine ${epoch} wrote commit ${token} of a lane after it was fenced`);
  }

  /** How many there were of each version once the migration was in. */
  async beside(): Promise<ReadonlyMap<string, number>> {
    const rows = await query(this.#url, `SELECT version, count(*) AS commits FROM ${this.names.table} WHERE is_beside GROUP BY version`);
    return new Map(rows.map(({ version, commits }) => [String(version), Number(commits)]));
  }

  private get names(): { readonly table: string; readonly note: string } {
    return { table: `public.${this.#schema}_commits`, note: `public.${this.#schema}_note` };
  }
}
