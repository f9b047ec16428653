import { z } from 'zod';
import type { Sql } from '../database/database.ts';
import { job, jobStates, jobTypes } from './job.ts';
import { jobOf, queryJobs } from './store.ts';

/** Which jobs are listed, and how many at a time: options of a query. */
export const jobQuery = z.strictObject({
  state: z
    .array(z.enum(jobStates))
    .min(1)
    .optional()
    .describe('Only jobs in one of these states, separated by commas.'),
  type: z
    .array(z.enum(jobTypes))
    .min(1)
    .optional()
    .describe('Only jobs of one of these types, separated by commas.'),
  limit: z.int().min(1).max(1000).default(100).describe('Most jobs in the answer.'),
  after: z
    .string()
    .regex(/^\d{1,17}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'expected the `next` of another answer')
    .optional()
    .describe('The `next` of the answer before: jobs that follow those.'),
});

export type JobQuery = Readonly<z.output<typeof jobQuery>>;

export const jobList = z
  .object({
    jobs: z.array(job).describe('Newest first.'),
    next: z.string().exactOptional().describe('Where the rest begins, for `after`; absent at the end.'),
  })
  .meta({ id: 'JobList' });

export type JobList = Readonly<z.output<typeof jobList>>;

/** Microseconds since 1970, which a JavaScript date does not hold. */
const createdUs = '(extract(epoch FROM created_at) * 1000000)::bigint';

/** Jobs by their creation, newest first; a job that is created or deleted between two pages moves no other one. */
export async function listJobs(sql: Sql, { state, type, limit, after }: JobQuery): Promise<JobList> {
  const [us = null, id = null] = after?.split('_') ?? [];
  const values = [state?.join() ?? null, type?.join() ?? null, us, id];
  const matches = `
    ($1::text IS NULL OR state = ANY(string_to_array($1, ','))) AND
    ($2::text IS NULL OR type = ANY(string_to_array($2, ','))) AND
    ($3::bigint IS NULL OR (${createdUs}, id) < ($3::bigint, $4::uuid))`;
  const rows = await queryJobs(
    sql,
    `SELECT * FROM verydeep.job WHERE ${matches} ORDER BY created_at DESC, id DESC LIMIT $5`,
    [...values, limit + 1],
  );
  const page = rows.slice(0, limit);
  const next = rows.length > limit ? await cursorOf(sql, page.at(-1)!.id) : undefined;
  return { jobs: page.map(jobOf), ...(next !== undefined && { next }) };
}

// --- helpers ---

async function cursorOf(sql: Sql, id: string): Promise<string | undefined> {
  const [row] = await sql.query<{ us: string }>(
    `SELECT ${createdUs}::text AS us FROM verydeep.job WHERE id = $1`,
    [id],
  );
  return row && `${row.us}_${id}`;
}
