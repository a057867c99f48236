import { createHash } from "node:crypto";
import { IS_AWAITED } from "../sql/reads.ts";
import { STATEMENTS } from "./encode-batch.ts";
import type { Layout } from "./layout.ts";

/** SQLSTATE of a write that changes no row although it must. */
export const GUARD_BROKEN = "SW001";

/** Milliseconds since the Unix epoch by the server's clock. */
export const SERVER_TIME = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** Reads it. */
export const ASK_TIME = `SELECT ${SERVER_TIME} AS now`;

/** One branch for each statement of the hot writes. */
function branch({ sql, numbers, texts, noRow, isPost }: Layout<never>, statement: number): string {
  const refuse =
    noRow === "allow" ? "" : `IF v_rows <> v_count THEN RAISE EXCEPTION '%', ${statement} USING ERRCODE = '${GUARD_BROKEN}'; END IF;`;
  const noted = `IF v_rows > 0 THEN
        v_posted := v_posted || v_id;
        INSERT INTO ready (owner, run_id, seq) SELECT coalesce(r.owner_epoch, 0), r.id, i.seq FROM inbox i JOIN run r ON r.id = i.run_id
          WHERE i.id = v_id AND r.owner_epoch IS DISTINCT FROM p_epoch AND ${IS_AWAITED} = 1
          ON CONFLICT (owner, run_id) DO UPDATE SET seq = excluded.seq;
      END IF;`;
  return `WHEN ${statement} THEN
      ${isPost ? sql.replace(/;$/, " RETURNING id INTO v_id;") : sql}
      GET DIAGNOSTICS v_rows = ROW_COUNT;
      ${isPost ? noted : ""}${refuse}
      v_n := v_n + v_count * ${numbers.length};
      v_t := v_t + v_count * ${texts.length};`;
}

/**
 * A plan that is made anew takes the arrays in as constants, and a constant array of texts is walked from its start for each element: 60,000
 * took 18 s instead of 40 ms. And one that was made while tables were empty would scan them for as long as the connection lives.
 */
const PINNED = "SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off";

/** Applies writes in the order of their stages, and gives the inbox rows that they made. The worker that writes hears of them from itself. */
const APPLY = `(p_epoch bigint, p_now bigint, p_stages bigint[], p_numbers bigint[], p_texts text[]) RETURNS json LANGUAGE plpgsql VOLATILE
${PINNED} AS $body$
DECLARE
  v_n bigint := 0;
  v_t bigint := 0;
  v_count bigint;
  v_rows bigint;
  v_id bigint;
  v_posted bigint[] := '{}';
BEGIN
  FOR v_stage IN 0 .. cardinality(p_stages) / 2 - 1 LOOP
    v_count := p_stages[v_stage * 2 + 2];
    CASE p_stages[v_stage * 2 + 1]
    ${STATEMENTS.map(branch).join("\n    ")}
    END CASE;
  END LOOP;
  IF cardinality(v_posted) = 0 THEN RETURN NULL; END IF;
  RETURN (SELECT json_agg(i ORDER BY i.id) FROM inbox i WHERE i.id = ANY(v_posted));
END $body$`;

/**
 * One batch. The events that it subscribes to are locked first, then the worker's row, which whoever fences the worker locks whole, then
 * the runs in the order of their ids. Each statement sees what others have committed before its locks were granted. A batch with a
 * unit that missed writes nothing and says which: the caller sends the others. Only what is written takes the lane's token on, which
 * never goes back: it tells whether a batch has arrived, and one whose connection was lost cannot arrive once somebody has asked.
 */
const commitBody = (apply: string) => `(p_epoch bigint, p_lane bigint, p_token bigint, p_time bigint, p_floor bigint, p_events bigint[],
  p_runs bigint[], p_seqs bigint[], p_targets bigint[], p_stages bigint[], p_numbers bigint[], p_texts text[],
  OUT outcome text, OUT now bigint, OUT missed bigint[], OUT posted json) LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
  IF cardinality(p_events) > 0 THEN
    PERFORM pg_advisory_xact_lock(e) FROM (SELECT DISTINCT e FROM unnest(p_events) AS e ORDER BY e) AS sorted;
  END IF;
  PERFORM 1 FROM worker WHERE epoch = p_epoch AND fenced_at IS NULL FOR KEY SHARE;
  IF NOT FOUND THEN
    outcome := 'fenced';
    RETURN;
  END IF;
  IF cardinality(p_runs) + cardinality(p_targets) > 0 THEN
    PERFORM 1 FROM run WHERE id = ANY(p_runs || p_targets) ORDER BY id FOR NO KEY UPDATE;
    SELECT array_agg(u.position - 1) INTO missed FROM unnest(p_runs, p_seqs) WITH ORDINALITY AS u(id, seq, position)
      JOIN run r ON r.id = u.id WHERE u.seq < r.inbox_seq OR r.owner_epoch <> p_epoch;
    IF missed IS NOT NULL THEN
      outcome := 'missed';
      RETURN;
    END IF;
  END IF;
  IF p_lane IS NOT NULL THEN
    UPDATE lane SET token = p_token WHERE epoch = p_epoch AND number = p_lane AND token < p_token;
    IF NOT FOUND THEN
      outcome := 'fenced';
      RETURN;
    END IF;
  END IF;
  outcome := 'committed';
  now := coalesce(p_time, greatest(p_floor, ${SERVER_TIME}));
  posted := ${apply}(p_epoch, now, p_stages, p_numbers, p_texts);
END $body$`;

/** The settings that hold the mark of a caller's transaction: a step's has one of its own, since runs may be started within it. */
export const MARKS = { step: "stepwell.step", start: "stepwell.start" } as const;

const LAST_SEQ = "9223372036854775807";

/** The end of a step, in a transaction that has written other tables: whatever the run was sent, it may settle. */
const settleBody = (commit: string) => `(p_mark text, p_epoch bigint, p_time bigint, p_floor bigint, p_run bigint, p_stages bigint[],
  p_numbers bigint[], p_texts text[], OUT outcome text, OUT now bigint) LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $body$
BEGIN
  IF current_setting('${MARKS.step}', true) IS DISTINCT FROM p_mark THEN
    outcome := 'ended';
    RETURN;
  END IF;
  SELECT c.outcome, c.now INTO outcome, now FROM ${commit}(p_epoch, NULL, NULL, p_time, p_floor, '{}', ARRAY[p_run], ARRAY[${LAST_SEQ}], '{}',
    p_stages, p_numbers, p_texts) AS c;
END $body$`;

/** A run that begins with the caller's transaction; false, and nothing, for a caller that has none: then the mark is gone already. */
const insertBody = (apply: string) => `(p_mark text, p_time bigint, p_floor bigint, p_stages bigint[], p_numbers bigint[], p_texts text[])
  RETURNS boolean LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $body$
BEGIN
  IF current_setting('${MARKS.start}', true) IS DISTINCT FROM p_mark THEN RETURN false; END IF;
  PERFORM ${apply}(0, coalesce(p_time, greatest(p_floor, ${SERVER_TIME})), p_stages, p_numbers, p_texts);
  RETURN true;
END $body$`;

const digest = createHash("sha256")
  .update(APPLY)
  .update(commitBody(""))
  .update(settleBody(""))
  .update(insertBody(""))
  .digest("hex")
  .slice(0, 12);

/** Named after their content, so that two versions of Stepwell can work side by side on one ledger. */
export const FUNCTIONS = {
  apply: `apply_writes_${digest}`,
  commit: `commit_batch_${digest}`,
  settle: `settle_step_${digest}`,
  insert: `insert_run_${digest}`,
} as const;

/** What makes the functions, for a schema that has the tables. */
export const CREATE_FUNCTIONS = `CREATE OR REPLACE FUNCTION ${FUNCTIONS.apply} ${APPLY};
CREATE OR REPLACE FUNCTION ${FUNCTIONS.commit} ${commitBody(FUNCTIONS.apply)};
CREATE OR REPLACE FUNCTION ${FUNCTIONS.settle} ${settleBody(FUNCTIONS.commit)};
CREATE OR REPLACE FUNCTION ${FUNCTIONS.insert} ${insertBody(FUNCTIONS.apply)};`;
