import type { Sql } from '../database/database.ts';
import type { Job, JobEvent, JobRequest, JobState, JobType } from './job.ts';
import { jobStates } from './job.ts';

/** The rows of jobs and their events. Each function is one or two statements; transactions are their callers'. */

export type NewEvent = Omit<JobEvent, 'sequence'>;

export interface JobRow {
  readonly id: string;
  readonly type: JobType;
  readonly dataset: string;
  readonly ensemble: string;
  readonly settings: Record<string, unknown>;
  readonly state: JobState;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly progress: NonNullable<Job['progress']> | null;
  readonly result: NonNullable<Job['result']> | null;
  readonly error: NonNullable<Job['error']> | null;
  readonly sequence: number;
  readonly cancelling: boolean;
  readonly runner: string | null;
  readonly reports: number;
  readonly starts: number;
}

/** Columns that change, without those of {@link JobRequest}. JSON as objects. */
export type JobChange = Partial<
  Omit<JobRow, 'id' | 'created_at' | 'sequence' | keyof JobRequest> & { readonly lease_until: null }
>;

export async function insertJob(sql: Sql, id: string, request: JobRequest): Promise<JobRow> {
  const { type, dataset, ensemble, settings } = request;
  const [row] = await sql.query<JobRow>(
    `INSERT INTO verydeep.job (id, type, dataset, ensemble, settings, state)
     VALUES ($1, $2, $3, $4, $5::jsonb, 'queued') RETURNING *`,
    [id, type, dataset, ensemble, JSON.stringify(settings)],
  );
  return row!;
}

export async function findJob(sql: Sql, id: string): Promise<JobRow | undefined> {
  return (await sql.query<JobRow>('SELECT * FROM verydeep.job WHERE id = $1', [id]))[0];
}

/** The same, and nobody else changes it until the transaction ends. */
export async function lockJob(sql: Sql, id: string): Promise<JobRow | undefined> {
  return (await sql.query<JobRow>('SELECT * FROM verydeep.job WHERE id = $1 FOR UPDATE', [id]))[0];
}

/** Newest first. */
export function listJobs(sql: Sql): Promise<JobRow[]> {
  return sql.query<JobRow>('SELECT * FROM verydeep.job ORDER BY created_at DESC, id');
}

export async function countJobs(sql: Sql): Promise<Record<JobState, number>> {
  const rows = await sql.query<{ state: JobState; jobs: number }>(
    'SELECT state, count(*)::integer AS jobs FROM verydeep.job GROUP BY state',
  );
  const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;
  for (const { state, jobs } of rows) counts[state] = jobs;
  return counts;
}

/** Changes columns and answers the new row. */
export async function changeJob(sql: Sql, id: string, change: JobChange): Promise<JobRow> {
  const columns = Object.keys(change);
  const values = Object.values(change).map((value) =>
    value !== null && typeof value === 'object' && !(value instanceof Date) ? JSON.stringify(value) : value,
  );
  const sets = columns.map((column, i) => `${column} = $${i + 2}`);
  const [row] = await sql.query<JobRow>(
    `UPDATE verydeep.job SET ${sets.join(', ')} WHERE id = $1 RETURNING *`,
    [id, ...values],
  );
  return row!;
}

/** The runner is alive: for `leaseMs` from now on, by the database's clock, nobody else takes the job. */
export async function renewLease(sql: Sql, id: string, leaseMs: number): Promise<void> {
  await sql.query(
    `UPDATE verydeep.job SET lease_until = now() + $2::float8 * interval '1 ms' WHERE id = $1`,
    [id, leaseMs],
  );
}

/** Running jobs whose runner has not been heard of for its lease, or `all`; locked until the transaction ends. */
export async function lockLostJobs(sql: Sql, all: boolean): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM verydeep.job WHERE state = 'running' AND (lease_until < now() OR $1)
     ORDER BY created_at FOR UPDATE SKIP LOCKED`,
    [all],
  );
  return rows.map(({ id }) => id);
}

/** Gives events the next numbers of their job, in this order. */
export async function appendEvents(sql: Sql, id: string, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await sql.query(
    `WITH numbered AS (UPDATE verydeep.job SET sequence = sequence + $2::integer WHERE id = $1 RETURNING sequence)
     INSERT INTO verydeep.event (job, sequence, time, type, data)
     SELECT $1, numbered.sequence - $2::integer + e.position::integer,
            (e.event->>'time')::timestamptz, e.event->>'type', e.event->'data'
     FROM numbered, jsonb_array_elements($3::jsonb) WITH ORDINALITY AS e(event, position)`,
    [id, events.length, JSON.stringify(events)],
  );
}

/** Events after number `sequence`, at most `limit`, in their order. */
export async function readEvents(sql: Sql, id: string, sequence: number, limit: number): Promise<JobEvent[]> {
  const rows = await sql.query<{ sequence: number; time: Date; type: string; data: Record<string, unknown> }>(
    `SELECT sequence, time, type, data FROM verydeep.event
     WHERE job = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`,
    [id, sequence, limit],
  );
  return rows.map(({ time, ...event }) => ({ ...event, time: time.toISOString() }));
}

export function jobOf(row: JobRow): Job {
  const { id, type, dataset, ensemble, settings, state, progress, result, error } = row;
  return {
    id,
    type,
    dataset,
    ensemble,
    settings,
    state,
    createdAt: row.created_at.toISOString(),
    ...(row.started_at && { startedAt: row.started_at.toISOString() }),
    ...(row.finished_at && { finishedAt: row.finished_at.toISOString() }),
    ...(progress && { progress }),
    ...(result && { result }),
    ...(error && { error }),
  };
}
