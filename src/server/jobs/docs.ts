import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import { job, jobRequest } from '../../jobs/job.ts';
import { failures } from '../images/docs.ts';

const guarded = { tags: ['jobs'], security: [{ bearer: [] }] };

const jobList = z.object({ jobs: z.array(job).describe('Newest first.') }).meta({ id: 'JobList' });

const params = z.object({ id: z.string() });

const withErrors = (...codes: ErrorCode[]) =>
  failures(['UNAUTHORISED', 'ADMIN_DISABLED', ...codes, 'INTERNAL', 'JOBS_UNAVAILABLE']);

const queued = {
  202: {
    description: 'Queued; `Location` is its path.',
    content: { 'application/json': { schema: job } },
  },
};

/** The schemas of the routes under /admin/jobs. */
export const describeJobs = {
  create: {
    ...guarded,
    operationId: 'createJob',
    summary: 'Queue a job',
    description:
      'Type, data set and settings are checked before it is accepted. It runs in a process of its own; what it makes is a candidate version, which is not served by itself.',
    body: jobRequest,
    response: { ...queued, ...withErrors('INVALID_JOB') },
  },
  list: {
    ...guarded,
    operationId: 'listJobs',
    summary: 'All jobs',
    response: { 200: jobList.describe('Newest first.'), ...withErrors() },
  },
  get: {
    ...guarded,
    operationId: 'getJob',
    summary: 'A job: its state, progress and result',
    params,
    response: { 200: job.describe('As it is now.'), ...withErrors('NOT_FOUND') },
  },
  cancel: {
    ...guarded,
    operationId: 'cancelJob',
    summary: 'Cancel a job',
    description: 'It stops within seconds and keeps its checkpoint.',
    params,
    response: { 200: job.describe('As it is now.'), ...withErrors('NOT_FOUND', 'JOB_CONFLICT') },
  },
  resume: {
    ...guarded,
    operationId: 'resumeJob',
    summary: 'Queue a cancelled or failed job again, from its checkpoint',
    params,
    response: { ...queued, ...withErrors('NOT_FOUND', 'JOB_CONFLICT') },
  },
  events: {
    ...guarded,
    operationId: 'jobEvents',
    summary: 'What happens to a job, as server-sent events',
    description:
      'All events from the first, or those after `Last-Event-ID`, and then those that follow, until the job ends.',
    params,
    headers: z.object({
      'last-event-id': z.string().optional().describe('Id of the last event that the client has seen.'),
    }),
    response: {
      200: {
        description: '`id` is a number that rises by one, `event` the type, `data` JSON.',
        content: { 'text/event-stream': { schema: z.string() } },
      },
      ...withErrors('MALFORMED_REQUEST', 'NOT_FOUND'),
    },
  },
  log: {
    ...guarded,
    operationId: 'jobLog',
    summary: "What the job's process wrote for people",
    params,
    response: {
      200: { description: 'As far as it got.', content: { 'text/plain': { schema: z.string() } } },
      ...withErrors('NOT_FOUND'),
    },
  },
} satisfies Record<string, FastifySchema>;
