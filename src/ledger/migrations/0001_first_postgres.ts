/**
 * What the first schema has in PostgreSQL beside what all databases have: several workers share it, each with lanes of its own.
 *
 * No index may stand in the way of updates that touch no other page (HOT): a step's row is written twice, a run's a few times, so there
 * is room for that in their pages, and no index whose condition those updates change.
 */
export const FIRST_POSTGRES = `
-- A worker lives until lease_ms after its last heartbeat, or until it is fenced.
ALTER TABLE worker ADD COLUMN heartbeat_at BIGINT, ADD COLUMN lease_ms BIGINT, ADD COLUMN fenced_at BIGINT;

-- A connection of a worker with one batch in flight: of a batch whose answer was lost, the token tells whether it arrived.
CREATE TABLE lane (
  epoch  BIGINT NOT NULL,
  number BIGINT NOT NULL,
  token  BIGINT NOT NULL,
  PRIMARY KEY (epoch, number)
) WITH (fillfactor = 50);

-- Runs that somebody must look at: with owner 0 those that no worker has, else those that their worker was sent something for. seq is the
-- last inbox number that it tells of.
CREATE TABLE ready (
  owner  BIGINT NOT NULL,
  run_id BIGINT NOT NULL,
  seq    BIGINT NOT NULL,
  PRIMARY KEY (owner, run_id)
);

-- Engines with different operators look for runs that want one of theirs.
CREATE INDEX wait_no_worker ON wait (key, run_id) WHERE kind = 'no_worker';

DROP INDEX step_open_round;
CREATE INDEX step_round ON step (key, parent) WHERE kind = 'round';

ALTER TABLE run SET (fillfactor = 80);
ALTER TABLE step SET (fillfactor = 80);
`;
