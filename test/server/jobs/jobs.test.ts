import { once } from 'node:events';
import { type IncomingMessage, get as request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { startApp } from '../app-under-test.ts';
import { createMemoryJobs, type MemoryJobs } from './memory-jobs.ts';

const token = 'a-token-of-many-letters';
const headers = { authorization: `Bearer ${token}` };
const train = { type: 'train', dataset: 'birds', ensemble: 'mine', settings: { epochs: 3 } } as const;

async function startJobs() {
  const jobs = createMemoryJobs();
  const { app, metrics } = await startApp({ admin: { token, jobs } });
  const call = (method: 'GET' | 'POST' | 'DELETE' | 'HEAD', path = '', payload?: object | string) =>
    app.inject({
      method,
      url: `/admin/jobs${path}`,
      ...(payload !== undefined && { payload }),
      headers: { ...headers, ...(typeof payload === 'string' && { 'content-type': 'application/json' }) },
    });
  return { app, metrics, jobs, call };
}

describe('the token', () => {
  const routes = [
    ['POST', ''],
    ['GET', ''],
    ['GET', '/1'],
    ['DELETE', '/1'],
    ['POST', '/1/cancel'],
    ['POST', '/1/resume'],
    ['GET', '/1/events'],
    ['GET', '/1/log'],
  ] as const;

  it.each(routes)('is asked for by %s /admin/jobs%s', async (method, path) => {
    const { app } = await startJobs();
    const wrong = [
      undefined,
      '',
      token,
      `Basic ${token}`,
      'Bearer',
      'Bearer ',
      `Bearer ${token}x`,
      `Bearer x ${token}`,
    ];
    for (const authorization of wrong) {
      const response = await app.inject({
        method,
        url: `/admin/jobs${path}`,
        headers: authorization === undefined ? {} : { authorization },
      });
      expect(response.json()).toMatchObject({
        statusCode: 401,
        code: 'UNAUTHORISED',
        error: 'Unauthorized',
      });
      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Bearer');
      expect(response.body).not.toContain(token);
    }
  });

  it.each(routes)('that the settings lack closes %s /admin/jobs%s', async (method, path) => {
    const { app } = await startApp();
    const response = await app.inject({ method, url: `/admin/jobs${path}`, headers });
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({ code: 'ADMIN_DISABLED', error: 'Forbidden' });
    expect(response.json().message).toContain('ADMIN_TOKEN=');
  });

  it('comes with the scheme in any case', async () => {
    const { app } = await startJobs();
    const response = await app.inject({
      url: '/admin/jobs',
      headers: { authorization: `bearer  ${token} ` },
    });
    expect(response.statusCode).toBe(200);
  });
});

describe('a job', () => {
  it('is queued, seen, cancelled, resumed and deleted', async () => {
    const { call, jobs } = await startJobs();
    const created = await call('POST', '', train);
    const { id } = created.json();
    const job = { ...train, id, state: 'queued', createdAt: expect.any(String) };
    expect(created.statusCode).toBe(202);
    expect(created.headers.location).toBe(`/admin/jobs/${id}`);
    expect(created.json()).toEqual(job);
    expect((await call('GET')).json()).toEqual({ jobs: [job] });

    jobs.move(id, 'running');
    expect((await call('GET', `/${id}`)).json()).toEqual({ ...job, state: 'running' });
    const early = await call('POST', `/${id}/resume`);
    expect(early.json()).toMatchObject({ statusCode: 409, code: 'JOB_CONFLICT', error: 'Conflict' });

    expect((await call('DELETE', `/${id}`)).json()).toMatchObject({ statusCode: 409, code: 'JOB_CONFLICT' });

    const cancelled = await call('POST', `/${id}/cancel`);
    expect([cancelled.statusCode, cancelled.json().state]).toEqual([200, 'cancelled']);
    expect((await call('POST', `/${id}/cancel`)).statusCode).toBe(409);

    const resumed = await call('POST', `/${id}/resume`);
    expect([resumed.statusCode, resumed.headers.location]).toEqual([202, `/admin/jobs/${id}`]);
    const log = await call('GET', `/${id}/log`);
    expect(log.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(log.body).toBe('log of birds\n');

    await call('POST', `/${id}/cancel`);
    const deleted = await call('DELETE', `/${id}`);
    expect([deleted.statusCode, deleted.body]).toEqual([204, '']);
    expect((await call('GET', `/${id}`)).statusCode).toBe(404);
  });

  it('is in a list, which has options', async () => {
    const { call, jobs } = await startJobs();
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.unshift((await call('POST', '', train)).json().id);
    jobs.move(ids[1]!, 'done');
    const page = (await call('GET', '?state=queued,running&limit=2')).json();
    expect(page.jobs.map(({ id }: { id: string }) => id)).toEqual([ids[0], ids[2]]);
    expect(page.next).toBe(ids[2]);
    expect((await call('GET', '?state=queued&state=done&type=train')).json().jobs).toHaveLength(4);
  });

  it.each([
    ['GET', '?page=2', 'unknown option "page"; expected some of state, type, limit, after'],
    ['GET', '?state=asleep', 'state.0: expected queued, running, done, failed, cancelled; received "asleep"'],
    ['GET', '?limit=0', 'limit: expected an integer from 1 to 1000; received 0'],
    ['GET', '?limit=many', 'limit: expected an integer from 1 to 1000; received "many"'],
    ['GET', '?after=1', 'after: expected the `next` of another answer; received "1"'],
    ['GET', '/1?verbose=true', 'unknown option "verbose"'],
    ['GET', '/1/events?from=2', 'unknown option "from"'],
    ['DELETE', '/1?force=1', 'unknown option "force"'],
    ['POST', '/1/resume?now=1', 'unknown option "now"'],
  ] as const)('is refused with unknown or wrong options: %s %s', async (method, path, message) => {
    const { call } = await startJobs();
    const response = await call(method, path);
    expect(response.json()).toMatchObject({ statusCode: 400, code: 'INVALID_OPTION' });
    expect(response.json().message).toContain(message);
  });

  it('needs no settings', async () => {
    const { call } = await startJobs();
    const { settings: _, ...bare } = train;
    expect((await call('POST', '', bare)).json()).toMatchObject({ settings: {}, state: 'queued' });
  });

  it.each([
    [{ ...train, type: 'cook' }, 'type: expected train, localise, evaluate; received "cook"'],
    [{ type: 'train', ensemble: 'mine' }, 'dataset: expected text of 1 to 1000 characters; received nothing'],
    [{ ...train, settings: [] }, 'settings: expected an object; received []'],
    [{ ...train, ensemble: '' }, 'ensemble: expected text of 1 to 200 characters; received ""'],
    [
      { ...train, colour: 'red' },
      'unknown field "colour"; expected some of type, dataset, ensemble, settings',
    ],
    [{ ...train, dataset: '../etc' }, 'dataset: expected a folder; received "../etc"'],
    ['{"type":', 'body: expected JSON'],
    ['[]', 'expected an object; received []'],
    ['', 'expected an object; received null'],
    ['{"__proto__":{"type":"train"}}', 'body: expected JSON'],
    [{ ...train, ensemble: 'a\0b' }, 'body: expected Unicode text without NUL; received "a\\u0000b"'],
    ['{"settings":{"list":["\\ud800"]}}', 'body: expected Unicode text without NUL; received "\\ud800"'],
    ['{"settings":{"\\ud800":1}}', 'body: expected Unicode text without NUL; received "\\ud800"'],
    [
      `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      'body: expected at most 8 objects and lists in one another',
    ],
    [{ ...train, settings: { note: 'x'.repeat(65_536) } }, 'body: expected at most 65536 bytes; received 65'],
  ])('%# is refused where it is not as expected', async (body, message) => {
    const { call } = await startJobs();
    const response = await call('POST', '', body);
    expect(response.json()).toMatchObject({ statusCode: 400, code: 'INVALID_JOB', error: 'Bad Request' });
    expect(response.json().message).toContain(message);
  });

  it('is refused as something other than JSON', async () => {
    const { app } = await startJobs();
    const response = await app.inject({
      method: 'POST',
      url: '/admin/jobs',
      payload: 'type=train',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(response.json()).toMatchObject({ statusCode: 400, code: 'INVALID_JOB' });
    expect(response.json().message).toContain('curl --json');
  });

  it.each([
    ['GET', '/none'],
    ['DELETE', '/none'],
    ['POST', '/none/cancel'],
    ['POST', '/none/resume'],
    ['GET', '/none/events'],
    ['GET', '/none/log'],
    ['GET', `/${'a'.repeat(10_000)}`],
    ['POST', `/${'%F0%9F%90%A6'.repeat(500)}/resume`],
  ] as const)('that is none: %s /admin/jobs%s', async (method, path) => {
    const { call } = await startJobs();
    expect((await call(method, path)).json()).toMatchObject({ statusCode: 404, code: 'NOT_FOUND' });
  });

  it('waits where the database is gone, and nothing of it is told', async () => {
    const { call, jobs, metrics } = await startJobs();
    jobs.lose();
    const response = await call('GET', '/1');
    expect(response.json()).toMatchObject({ statusCode: 503, code: 'JOBS_UNAVAILABLE' });
    expect(response.headers['retry-after']).toBe('1');
    expect(response.body).not.toContain('5432');
    expect(await metrics.registry.metrics()).toContain('verydeep_rejects_total{reason="JOBS_UNAVAILABLE"} 1');
  });
});

describe('events', () => {
  async function runningJob(jobs: MemoryJobs): Promise<string> {
    const { id } = await jobs.create(train);
    jobs.move(id, 'running');
    return id;
  }

  /** Reads a job's events over a socket. */
  async function open(app: FastifyInstance, id: string, lastEventId?: string) {
    const address = app.server.listening ? app.server.address() : undefined;
    const { port } =
      address && typeof address === 'object'
        ? address
        : new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const sent = request(`http://127.0.0.1:${port}/admin/jobs/${id}/events`, {
      headers: { ...headers, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
    });
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response.setEncoding('utf8');
  }

  async function textOf(response: IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of response) text += chunk;
    return text;
  }

  it('are told as they happen, until the job has ended', async () => {
    const { app, jobs } = await startJobs();
    const id = await runningJob(jobs);
    const response = await open(app, id);
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    const text = textOf(response);
    jobs.tell(id, 'step', { loss: 0.25 });
    jobs.move(id, 'done');
    const time = '"time":"2026-01-31T12:00:00.000Z"';
    expect(await text).toBe(
      [
        'retry: 2000',
        `id: 1\nevent: state\ndata: {${time},"state":"queued"}`,
        `id: 2\nevent: state\ndata: {${time},"state":"running"}`,
        `id: 3\nevent: step\ndata: {${time},"loss":0.25}`,
        `id: 4\nevent: state\ndata: {${time},"state":"done"}\n\n`,
      ].join('\n\n'),
    );
  });

  it('go on after the last one that a client has seen', async () => {
    const { app, jobs } = await startJobs();
    const id = await runningJob(jobs);
    jobs.move(id, 'done');
    expect([...(await textOf(await open(app, id, '1'))).matchAll(/^id: (.*)$/gm)].map(([, n]) => n)).toEqual([
      '2',
      '3',
    ]);
    expect(await textOf(await open(app, id, '3'))).toBe('retry: 2000\n\n');
  });

  it.each(['-1', '1.5', 'x', ''])('are refused after "%s"', async (lastEventId) => {
    const { app, jobs } = await startJobs();
    const id = await runningJob(jobs);
    const response = await app.inject({
      url: `/admin/jobs/${id}/events`,
      headers: { ...headers, 'last-event-id': lastEventId },
    });
    expect(response.json()).toMatchObject({ statusCode: 400, code: 'MALFORMED_REQUEST' });
  });

  it('are no more asked for when the client has left', async () => {
    const { app, jobs } = await startJobs();
    const id = await runningJob(jobs);
    const signals = watchSignals(jobs);
    const response = await open(app, id);
    await once(response, 'data');
    response.destroy();
    const [signal] = signals;
    if (!signal!.aborted) await once(signal!, 'abort');
    expect(signals).toHaveLength(1);
  });

  it('end when the service stops', async () => {
    const { app, jobs } = await startJobs();
    const id = await runningJob(jobs);
    const response = await open(app, id);
    const text = textOf(response);
    await app.close();
    expect(await text).toContain('retry: 2000');
  });

  it('wait for a reader, and do not keep the service from stopping', async () => {
    const { app, jobs } = await startJobs();
    const id = await runningJob(jobs);
    let told = 0;
    jobs.events = async function* () {
      for (; told < 10_000; told++) {
        yield { sequence: told + 1, time: 'T', type: 'step', data: { text: 'x'.repeat(100_000) } };
      }
    };
    const responses: ServerResponse[] = [];
    app.server.on('request', (_request, response: ServerResponse) => responses.push(response));
    const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const socket = connect(Number(port), '127.0.0.1').pause();
    socket.on('error', () => {});
    socket.write(
      `GET /admin/jobs/${id}/events HTTP/1.1\r\nHost: a\r\nAuthorization: ${headers.authorization}\r\n\r\n`,
    );
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    while (!responses[0]?.writableNeedDrain) await turn();
    // The kernel may take some more of it; then the response waits, and the events with it.
    for (let i = 0; i < 200; i++) await turn();
    expect(told).toBeLessThan(1000);
    expect(responses[0]!.writableLength).toBeLessThan(500_000);
    await app.close();
    socket.destroy();
  });

  it('have no HEAD, which would wait for all of them', async () => {
    const { call, jobs } = await startJobs();
    const response = await call('HEAD', `/${await runningJob(jobs)}/events`);
    expect([response.statusCode, response.headers.allow]).toEqual([405, 'GET']);
  });
});

describe('metrics of jobs', () => {
  const gauges = async (app: FastifyInstance) =>
    (await app.inject('/metrics')).body.split('\n').filter((line) => /^verydeep_jobs?[_{]/.test(line));

  it('count them by state, and tell of those that run', async () => {
    const { app, jobs, call } = await startJobs();
    const { id } = (await call('POST', '', train)).json();
    await call('POST', '', train);
    jobs.move(id, 'running');
    jobs.runningJobs.push({ id, type: 'train' });
    expect(await gauges(app)).toEqual([
      'verydeep_jobs{state="queued"} 1',
      'verydeep_jobs{state="running"} 1',
      'verydeep_jobs{state="done"} 0',
      'verydeep_jobs{state="failed"} 0',
      'verydeep_jobs{state="cancelled"} 0',
    ]);
    const progress = { epoch: 2, step: 30, steps: 96, imagesPerSecond: 212.5, etaSeconds: 60 };
    const checkpoint = { savedAtMs: Date.now() + 60_000, seconds: 0.25 }; // a clock that was set back
    jobs.runningJobs.splice(0, 1, { id, type: 'train', progress, loss: 1.5, checkpoint });
    expect((await gauges(app)).slice(5)).toEqual(
      [
        ['epoch', 2],
        ['step', 30],
        ['loss', 1.5],
        ['images_per_second', 212.5],
        ['checkpoint_age_seconds', 0],
        ['checkpoint_duration_seconds', 0.25],
      ].map(([name, value]) => `verydeep_job_${name}{job="${id}",type="train"} ${value}`),
    );
    jobs.runningJobs.length = 0;
    expect(await gauges(app)).toHaveLength(5);
  });

  it('do without the database, be it gone or silent', async () => {
    const { app, jobs } = await startJobs();
    jobs.lose();
    expect(await gauges(app)).toEqual([]);
    jobs.counts = () => new Promise(() => {});
    expect(await gauges(app)).toEqual([]);
    expect((await app.inject('/metrics')).statusCode).toBe(200);
  });

  it('count what is refused', async () => {
    const { app, call } = await startJobs();
    await call('POST', '', '{');
    await app.inject('/admin/jobs');
    const { body } = await app.inject('/metrics');
    expect(body.match(/^verydeep_rejects_total.* [1-9].*$/gm)).toEqual([
      'verydeep_rejects_total{reason="INVALID_JOB"} 1',
      'verydeep_rejects_total{reason="UNAUTHORISED"} 1',
    ]);
  });
});

/** The signals with which events were asked for. */
function watchSignals(jobs: MemoryJobs): AbortSignal[] {
  const signals: AbortSignal[] = [];
  const { events } = jobs;
  jobs.events = (id, sequence, signal) => {
    signals.push(signal);
    return events(id, sequence, signal);
  };
  return signals;
}
