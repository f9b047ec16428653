import type { Database } from '../database/database.ts';

/**
 * Each is applied once, in this order; what has been released never changes. The settings of a job that waits or can be
 * resumed are read by request.ts: when they get other names, a migration renames those that are stored.
 */
const migrations = [
  `
  CREATE TABLE verydeep.job (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    dataset text NOT NULL,
    ensemble text NOT NULL,
    settings jsonb NOT NULL,
    state text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    progress jsonb,
    result jsonb,
    error jsonb,
    -- number of its last event
    sequence integer NOT NULL DEFAULT 0,
    cancelling boolean NOT NULL DEFAULT false,
    -- who runs it, until when others take that for granted, and how many of its reports are stored
    runner uuid,
    lease_until timestamptz,
    reports integer NOT NULL DEFAULT 0,
    -- starts since its last checkpoint
    starts integer NOT NULL DEFAULT 0
  );
  CREATE INDEX job_state ON verydeep.job (state);
  CREATE TABLE verydeep.event (
    job uuid NOT NULL REFERENCES verydeep.job ON DELETE CASCADE,
    sequence integer NOT NULL,
    time timestamptz NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (job, sequence)
  );
  `,
  // Settings by the names and in the notation of the command line.
  `
  UPDATE verydeep.job SET settings = settings - 'head' WHERE type = 'train';
  UPDATE verydeep.job
  SET settings = (settings - 'cacheBytes') ||
    jsonb_build_object('cacheMb', ((settings->>'cacheBytes')::numeric / 1048576)::bigint)
  WHERE jsonb_typeof(settings->'cacheBytes') = 'number';
  UPDATE verydeep.job
  SET settings = settings || jsonb_build_object('scale', CASE
    WHEN settings#>'{scale,min}' = settings#>'{scale,max}' THEN settings#>'{scale,min}'
    ELSE to_jsonb((settings#>>'{scale,min}') || '-' || (settings#>>'{scale,max}')) END)
  WHERE jsonb_typeof(settings->'scale') = 'object';
  UPDATE verydeep.job
  SET settings = settings || jsonb_build_object('view', jsonb_build_array(settings->'view'))
  WHERE jsonb_typeof(settings->'view') = 'string';
  `,
];

/** Brings the tables up to date; of replicas that start together one does it and the others wait. */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.query(`
      SELECT pg_advisory_xact_lock(hashtext('verydeep.migration'));
      CREATE SCHEMA IF NOT EXISTS verydeep;
      CREATE TABLE IF NOT EXISTS verydeep.migration (version integer PRIMARY KEY)
    `);
    const [row] = await sql.query<{ done: number }>(
      'SELECT count(*)::integer AS done FROM verydeep.migration',
    );
    for (let version = row!.done; version < migrations.length; version++) {
      await sql.query(migrations[version]!);
      await sql.query('INSERT INTO verydeep.migration VALUES ($1)', [version]);
    }
  });
}
