import { z } from 'zod';
import type { Sql } from '../database/database.ts';
import { progress } from '../training/events.ts';
import {
  type Job,
  type JobEvent,
  type JobState,
  job,
  jobError,
  jobResult,
  jobStates,
  type NewJob,
  type ProcessEvent,
  type StateEvent,
} from './job.ts';

/** The rows of jobs and their events. Each function is one or two statements; transactions are their callers'. */

/** An event that has no number yet. */
export interface NewEvent {
  /** ISO 8601. */
  readonly time: string;
  readonly event: ProcessEvent | StateEvent;
}

const jobRow = z.object({
  ...job.pick({ id: true, type: true, dataset: true, ensemble: true, settings: true, state: true }).shape,
  created_at: z.date(),
  started_at: z.date().nullable(),
  finished_at: z.date().nullable(),
  progress: progress.nullable(),
  result: jobResult.nullable(),
  error: jobError.nullable(),
  sequence: z.int(),
  cancelling: z.boolean(),
  runner: z.string().nullable(),
  reports: z.int(),
  starts: z.int(),
});

export type JobRow = Readonly<z.output<typeof jobRow>>;

/** Columns that change, without those of {@link NewJob}. JSON as objects. */
export type JobChange = Partial<
  Omit<JobRow, 'id' | 'created_at' | 'sequence' | keyof NewJob> & { readonly lease_until: null }
>;

/** A statement whose rows are whole jobs. */
export async function queryJobs(sql: Sql, text: string, values: readonly unknown[]): Promise<JobRow[]> {
  return z.array(jobRow).parse(await sql.query(text, values));
}

export async function insertJob(sql: Sql, id: string, request: NewJob): Promise<JobRow> {
  const { type, dataset, ensemble, settings } = request;
  const [row] = await queryJobs(
    sql,
    `INSERT INTO verydeep.job (id, type, dataset, ensemble, settings, state)
     VALUES ($1, $2, $3, $4, $5::jsonb, 'queued') RETURNING *`,
    [id, type, dataset, ensemble, JSON.stringify(settings)],
  );
  return row!;
}

export async function findJob(sql: Sql, id: string): Promise<JobRow | undefined> {
  return (await queryJobs(sql, 'SELECT * FROM verydeep.job WHERE id = $1', [id]))[0];
}

/** The same, and nobody else changes it until the transaction ends. */
export async function lockJob(sql: Sql, id: string): Promise<JobRow | undefined> {
  return (await queryJobs(sql, 'SELECT * FROM verydeep.job WHERE id = $1 FOR UPDATE', [id]))[0];
}

export async function countJobs(sql: Sql): Promise<Record<JobState, number>> {
  const rows = await sql.query<{ state: JobState; jobs: number }>(
    'SELECT state, count(*)::integer AS jobs FROM verydeep.job GROUP BY state',
  );
  const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;
  for (const { state, jobs } of rows) counts[state] = jobs;
  return counts;
}

/** Its events go with it. */
export async function deleteJob(sql: Sql, id: string): Promise<void> {
  await sql.query('DELETE FROM verydeep.job WHERE id = $1', [id]);
}

/** Changes columns and returns the new row. */
export async function changeJob(sql: Sql, id: string, change: JobChange): Promise<JobRow> {
  const columns = Object.keys(change);
  const values = Object.values(change).map((value) =>
    value !== null && typeof value === 'object' && !(value instanceof Date) ? JSON.stringify(value) : value,
  );
  const sets = columns.map((column, i) => `${column} = $${i + 2}`);
  const [row] = await queryJobs(sql, `UPDATE verydeep.job SET ${sets.join(', ')} WHERE id = $1 RETURNING *`, [
    id,
    ...values,
  ]);
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
  const rows = events.map(({ time, event: { type, ...data } }) => ({ time, type, data }));
  await sql.query(
    `WITH numbered AS (UPDATE verydeep.job SET sequence = sequence + $2::integer WHERE id = $1 RETURNING sequence)
     INSERT INTO verydeep.event (job, sequence, time, type, data)
     SELECT $1, numbered.sequence - $2::integer + e.position::integer,
            (e.event->>'time')::timestamptz, e.event->>'type', e.event->'data'
     FROM numbered, jsonb_array_elements($3::jsonb) WITH ORDINALITY AS e(event, position)`,
    [id, rows.length, JSON.stringify(rows)],
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
