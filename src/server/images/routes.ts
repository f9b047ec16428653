import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, errorEntry, isErrorOf, isVerydeepError, VerydeepError } from '../../errors.ts';
import { fileTooLarge } from '../../image/limits.ts';
import type { Answer } from '../../inference/answer.ts';
import { type Task, tasks } from '../../inference/options.ts';
import type { Deployment } from '../../serving/deployment.ts';
import type { Serving } from '../../serving/registry.ts';
import { clientOf } from '../client.ts';
import { refuseOnSocket } from '../client-errors.ts';
import { answerErrors } from '../errors.ts';
import { failureOf } from '../failures.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { Answerer } from './answerer.ts';
import { acceptImageBodies, imageErrors, noImage } from './bodies.ts';
import { describeImages } from './docs.ts';
import { acceptForms, type FileLimits, isForm, type ReceivedFile, receiveFiles } from './multipart.ts';
import { type ImageTask, optionsOf, readImageTask } from './options.ts';
import { createPlaces } from './places.ts';
import { presentModel, presentResult, presentTiming, serverTiming, unnamed } from './present.ts';
import type { AnswerBody } from './schemas.ts';

export interface ImageRoutesOptions extends FileLimits {
  readonly serving: Serving;
  readonly answerer: Answerer;
  readonly metrics: Metrics;
  readonly timeoutMs: number;
  /** Requests received or answered at once. */
  readonly maxRequests: number;
  /** Longest time from a request's first byte to its last. */
  readonly receiveTimeoutMs: number;
}

/** Files of one request that are in memory at once. */
const filesAtOnce = 8;

/** `POST` and `PUT` of /classify and /localise: one image as the body, or many as multipart/form-data. */
export async function imageRoutes(app: FastifyInstance, options: ImageRoutesOptions): Promise<void> {
  acceptImageBodies(app);
  acceptForms(app);
  const onRejected = options.metrics.rejected;
  answerErrors(app, { translate: imageErrors(options.maxFileBytes), onRejected });
  limitRequests(app, options.maxRequests, onRejected);
  for (const task of tasks) {
    for (const method of ['POST', 'PUT'] as const) {
      app.route<{ Querystring: ImageTask }>({
        method,
        url: `/${task}`,
        schema: describeImages(task, method, optionsOf[task]),
        // What the query asks for stands in its place.
        validatorCompiler: () => (received: unknown) => readQuery(task, received, options.timeoutMs),
        handler: answerRequest,
      });
    }
  }

  async function answerRequest(
    request: FastifyRequest<{ Querystring: ImageTask }>,
    reply: FastifyReply,
  ): Promise<AnswerBody> {
    const startedMs = performance.now();
    const imageTask = request.query;
    const deployment = options.serving.current();
    const asked = {
      task: imageTask,
      deployment,
      client: clientOf(request.socket),
      signal: abortedWhenGone(reply),
    };
    const outcomes = isForm(request) ? await answerFiles(request, asked) : [await answerBody(request, asked)];
    const answers = outcomes.flatMap(({ answer }) => answer ?? []);
    const plan = answers[0]?.plan;
    const timing = presentTiming(
      answers.map((answer) => answer.timing),
      performance.now() - startedMs,
    );
    reply.header('server-timing', serverTiming(timing));
    return {
      results: outcomes.map(({ result }) => result),
      model: presentModel(deployment.ensemble, plan?.networks ?? imageTask.options.networks),
      ...(plan && { plan: { scales: [...plan.scales], flip: plan.flip, view: plan.view } }),
      timing,
    };
  }

  async function answerBody({ body }: FastifyRequest, asked: Asked): Promise<Outcome> {
    if (!Buffer.isBuffer(body) || body.length === 0) throw noImage('received no body');
    const { deployment, task, ...caller } = asked;
    const answer = await options.answerer(deployment, body, task, caller);
    return { answer, result: presentResult(unnamed, answer.result) };
  }

  /** Files are answered while others still arrive; the bytes of a few at most are in memory. */
  async function answerFiles(request: FastifyRequest, asked: Asked): Promise<Outcome[]> {
    const refused = new AbortController();
    const reception = receivedInTime(options.receiveTimeoutMs);
    const signal = AbortSignal.any([asked.signal, refused.signal, reception.signal]);
    const outcomes: Promise<Outcome>[] = [];
    const running = new Set<Promise<unknown>>();
    try {
      for await (const file of receiveFiles(request, options, signal)) {
        signal.throwIfAborted();
        const outcome = answerFile(request, file, { ...asked, signal });
        // One that refuses the whole request ends it at once, not when the last file has arrived.
        const settled: Promise<unknown> = outcome
          .catch((error: unknown) => refused.abort(error))
          .finally(() => running.delete(settled));
        running.add(settled);
        outcomes.push(outcome);
        if (running.size >= filesAtOnce) await Promise.race(running);
      }
      reception.done();
      const all = await Promise.all(outcomes);
      throwIfAllRefused(all);
      for (const { code } of all) if (code !== undefined) onRejected(code);
      return all;
    } catch (error) {
      refused.abort(error);
      await Promise.allSettled(outcomes);
      throw error;
    } finally {
      reception.done();
    }
  }

  async function answerFile(
    request: FastifyRequest,
    { name, bytes }: ReceivedFile,
    { deployment, task, ...caller }: Asked,
  ): Promise<Outcome> {
    try {
      if (bytes === undefined) throw fileTooLarge(options.maxFileBytes);
      const answer = await options.answerer(deployment, bytes, task, caller);
      return { answer, result: presentResult(name, answer.result) };
    } catch (error) {
      if (concernsRequest(error)) throw error;
      const { code, status, message } = failureOf(error);
      if (status === 500) request.log.error({ err: error }, name);
      return { code, error, result: { name, error: { code, message } } };
    }
  }
}

// --- helpers ---

/** What all images of a request have in common. */
interface Asked {
  readonly task: ImageTask;
  readonly deployment: Deployment;
  readonly client: string;
  /** Aborted when the answer is not wanted any more. */
  readonly signal: AbortSignal;
}

/** Fastify takes errors of a query as values. */
function readQuery(
  task: Task,
  received: unknown,
  maxTimeoutMs: number,
): { value: ImageTask } | { error: Error } {
  try {
    return { value: readImageTask(task, received, maxTimeoutMs) };
  } catch (error) {
    if (!isVerydeepError(error)) throw error;
    return { error };
  }
}

interface Outcome {
  readonly result: AnswerBody['results'][number];
  readonly answer?: Answer;
  readonly code?: ErrorCode;
  readonly error?: unknown;
}

/** A place for each request, from its first byte to its answer. */
function limitRequests(
  app: FastifyInstance,
  maxRequests: number,
  onRejected: (code: ErrorCode) => void,
): void {
  const places = createPlaces({ maxRequests, now: () => performance.now() });
  app.addHook('onRequest', async (request, reply) => {
    const { raw, socket, ip } = request;
    const before = socket.bytesRead;
    const leave = places.enter({
      address: ip,
      receivedBytes: () => socket.bytesRead - before,
      isReceived: () => raw.complete,
      evict(reason) {
        onRejected(reason.code);
        refuseOnSocket(socket, reason);
      },
    });
    reply.raw.once('close', leave);
  });
}

/** Aborted when a request has not arrived in time, whatever holds it up; `done` ends that. */
function receivedInTime(timeoutMs: number): { readonly signal: AbortSignal; done(): void } {
  const late = new AbortController();
  const timer = setTimeout(() => {
    const message = `expected a whole request within ${timeoutMs} ms; received a part of it`;
    late.abort(new VerydeepError('REQUEST_TIMEOUT', message));
  }, timeoutMs);
  return { signal: late.signal, done: () => clearTimeout(timer) };
}

/** Aborted when the connection closes before the answer was written. */
function abortedWhenGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (reply.raw.writableFinished) return;
    controller.abort(new VerydeepError('REQUEST_CANCELLED', 'the client has closed the connection'));
  });
  return controller.signal;
}

/** Wrong for every file, or nobody is there to read. What has no code is a fault of answering this one. */
function concernsRequest(error: unknown): boolean {
  return isVerydeepError(error) && !isErrorOf(error, 'image', 'service');
}

/** A request of which nothing was answered for lack of capacity can be tried again as a whole. */
function throwIfAllRefused(outcomes: readonly Outcome[]): void {
  const mayRetry = ({ code }: Outcome): boolean => code !== undefined && errorEntry(code).retry === true;
  if (outcomes.every(mayRetry)) throw outcomes[0]!.error;
}
