import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import { job } from '../../jobs/job.ts';
import { jobList, jobQuery } from '../../jobs/listing.ts';
import { jobRequest } from '../../jobs/request.ts';
import { failures } from '../failures.ts';

const guarded = { tags: ['jobs'], security: [{ bearer: [] }] };

const withErrors = (...codes: ErrorCode[]) =>
  failures(
    'INVALID_OPTION',
    'UNAUTHORISED',
    'TOO_MANY_ATTEMPTS',
    'ADMIN_DISABLED',
    ...codes,
    'JOBS_UNAVAILABLE',
  );

/** Most routes have no options, and refuse those that they are sent. */
const querystring = z.strictObject({});

const ofOneJob = { ...guarded, params: z.object({ id: z.string() }), querystring };

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
    querystring,
    body: jobRequest,
    response: { ...queued, ...withErrors('INVALID_JOB') },
  },
  list: {
    ...guarded,
    operationId: 'listJobs',
    summary: 'Jobs, newest first, a page at a time',
    querystring: jobQuery,
    response: { 200: jobList.describe('A page of them.'), ...withErrors() },
  },
  get: {
    ...ofOneJob,
    operationId: 'getJob',
    summary: 'A job: its state, progress and result',
    response: { 200: job.describe('As it is now.'), ...withErrors('NOT_FOUND') },
  },
  cancel: {
    ...ofOneJob,
    operationId: 'cancelJob',
    summary: 'Cancel a job',
    description: 'It stops within seconds and keeps its checkpoint.',
    response: { 200: job.describe('As it is now.'), ...withErrors('NOT_FOUND', 'JOB_CONFLICT') },
  },
  delete: {
    ...ofOneJob,
    operationId: 'deleteJob',
    summary: 'Forget an ended job, its events and its files',
    description:
      'The version that it made stays. The files are those of the replica that is asked: with several replicas, `DATA_DIR` is shared, or the other folders stay.',
    response: { 204: z.null().describe('It is gone.'), ...withErrors('NOT_FOUND', 'JOB_CONFLICT') },
  },
  resume: {
    ...ofOneJob,
    operationId: 'resumeJob',
    summary: 'Queue a cancelled or failed job again, from its checkpoint',
    response: { ...queued, ...withErrors('NOT_FOUND', 'JOB_CONFLICT') },
  },
  events: {
    ...ofOneJob,
    operationId: 'jobEvents',
    summary: 'What happens to a job, as server-sent events',
    description:
      'All events from the first, or those after `Last-Event-ID`, and then those that follow, until the job ends.',
    headers: z.object({
      'last-event-id': z.string().optional().describe('Id of the last event that the client has seen.'),
    }),
    response: {
      200: {
        description: '`id` is a number that rises by one, `event` the type, `data` JSON.',
        content: { 'text/event-stream': { schema: z.string() } },
      },
      ...withErrors('NOT_FOUND'),
    },
  },
  log: {
    ...ofOneJob,
    operationId: 'jobLog',
    summary: "What the job's process wrote for people",
    response: {
      200: { description: 'As far as it got.', content: { 'text/plain': { schema: z.string() } } },
      ...withErrors('NOT_FOUND'),
    },
  },
} satisfies Record<string, FastifySchema>;
