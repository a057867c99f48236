import { query } from "../../fixtures/postgres/database.ts";

/** Every commit of a worker takes a lane of it on: the server notes those of workers that it holds for fenced. */
export class StaleWrites {
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
      `CREATE TABLE ${names.table} (epoch bigint, token bigint);
       CREATE FUNCTION ${names.note}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO ${names.table} SELECT NEW.epoch, NEW.token FROM ${this.#schema}.worker w WHERE w.epoch = NEW.epoch AND w.fenced_at IS NOT NULL;
         RETURN NEW;
       END $$;
       CREATE TRIGGER stale_writes AFTER UPDATE ON ${this.#schema}.lane FOR EACH ROW EXECUTE FUNCTION ${names.note}()`,
    );
  }

  async seen(): Promise<readonly string[]> {
    const rows = await query(this.#url, `SELECT epoch, token FROM ${this.names.table}`);
    return rows.map(({ epoch, token }) => `engine ${epoch} wrote commit ${token} of a lane after it was fenced`);
  }

  private get names(): { readonly table: string; readonly note: string } {
    return { table: `public.${this.#schema}_stale`, note: `public.${this.#schema}_note` };
  }
}
