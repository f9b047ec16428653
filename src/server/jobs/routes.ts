import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, VerydeepError } from '../../errors.ts';
import type { Job, NewJob } from '../../jobs/job.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { JobQuery } from '../../jobs/listing.ts';
import { adminDisabled, requireToken } from '../bearer.ts';
import { answerErrors } from '../errors.ts';
import { acceptJobBodies, jobErrors } from './bodies.ts';
import { describeJobs } from './docs.ts';
import { eventStream } from './event-stream.ts';
import { validateJobs } from './validate.ts';

/** The queue of jobs, and the token that opens it. */
export interface Admin {
  readonly token: string;
  readonly jobs: Jobs;
}

export interface JobRoutesOptions {
  /** When omitted, every route refuses with ADMIN_DISABLED. */
  readonly admin: Admin | undefined;
  /** Gets the code of every request that is refused. */
  readonly onRejected: (code: ErrorCode) => void;
}

interface WithId {
  Params: { id: string };
}

/** A comment line on a stream of events without events. */
const keepAliveMs = 15_000;

/** `/admin/jobs`: starts, lists, watches, cancels, resumes and deletes jobs (docs/jobs.md). */
export async function jobRoutes(
  app: FastifyInstance,
  { admin, onRejected }: JobRoutesOptions,
): Promise<void> {
  const jobs = (): Jobs => {
    if (admin === undefined) throw adminDisabled(); // as the hook does before it
    return admin.jobs;
  };
  acceptJobBodies(app);
  app.setValidatorCompiler(validateJobs);
  answerErrors(app, { translate: jobErrors, onRejected });
  app.addHook('onRequest', requireToken(admin?.token));
  const leaveAll = new Set<() => void>();
  app.addHook('preClose', async () => {
    for (const leave of leaveAll) leave();
  });

  app.post<{ Body: NewJob }>('/admin/jobs', { schema: describeJobs.create }, async ({ body }, reply) =>
    queued(reply, await jobs().create(body)),
  );

  app.get<{ Querystring: JobQuery }>('/admin/jobs', { schema: describeJobs.list }, ({ query }) =>
    jobs().list(query),
  );

  app.get<WithId>('/admin/jobs/:id', { schema: describeJobs.get }, ({ params }) => jobs().get(params.id));

  app.delete<WithId>('/admin/jobs/:id', { schema: describeJobs.delete }, async ({ params }, reply) => {
    await jobs().delete(params.id);
    return reply.code(204).send();
  });

  app.post<WithId>('/admin/jobs/:id/cancel', { schema: describeJobs.cancel }, ({ params }) =>
    jobs().cancel(params.id),
  );

  app.post<WithId>('/admin/jobs/:id/resume', { schema: describeJobs.resume }, async ({ params }, reply) =>
    queued(reply, await jobs().resume(params.id)),
  );

  app.get<WithId>('/admin/jobs/:id/log', { schema: describeJobs.log }, async ({ params }, reply) => {
    const text = await jobs().log(params.id);
    return reply.type('text/plain; charset=utf-8').send(text);
  });

  app.get<WithId>(
    '/admin/jobs/:id/events',
    { schema: describeJobs.events, exposeHeadRoute: false },
    async (request, reply) => {
      const { id } = request.params;
      const sequence = lastEventId(request);
      await jobs().get(id); // what is wrong is told before a stream begins
      const left = new AbortController();
      const events = jobs().events(id, sequence, left.signal);
      const leave = (): void => {
        left.abort();
        // Who does not read is not waited for: nothing is lost, the events after the last one read come again.
        if (reply.raw.writableNeedDrain) reply.raw.destroy();
      };
      leaveAll.add(leave);
      reply.raw.once('close', () => {
        leaveAll.delete(leave);
        left.abort();
      });
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(eventStream(events, left.signal, keepAliveMs)));
    },
  );
}

// --- helpers ---

function queued(reply: FastifyReply, job: Job): Job {
  reply.code(202).header('location', `/admin/jobs/${job.id}`);
  return job;
}

/** The number of the last event that a client has seen, 0 if it has seen none. */
function lastEventId({ headers }: FastifyRequest): number {
  const received = headers['last-event-id'] ?? '0';
  if (typeof received === 'string' && /^\d{1,15}$/.test(received)) return Number(received);
  throw new VerydeepError(
    'MALFORMED_REQUEST',
    `Last-Event-ID: expected the id of an event, a whole number; received ${JSON.stringify(received)}`,
  );
}
