import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { Job } from '../../src/jobs/job.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';
import type { JobQuery } from '../../src/jobs/listing.ts';
import { createQueue } from '../../src/jobs/queue.ts';
import { changeJob } from '../../src/jobs/store.ts';
import { createTransact } from '../../src/jobs/transact.ts';
import { queueNew, take } from '../../src/jobs/transitions.ts';
import type { TestDatabase } from '../database/test-database.ts';
import { eventsOf, follow, namesOf, request, startJobs, startsOf, temporaryFolder } from './test-jobs.ts';

const stranger = '00000000-0000-4000-8000-000000000000';
const unknown = '11111111-0000-4000-8000-000000000000';

/** What jobs do, whatever database they are in. */
export function jobsContract(test: () => TestDatabase): void {
  let database: Database; // of the test itself
  let folder: ReturnType<typeof temporaryFolder>;
  let jobs: Jobs;
  const running = new Set<Jobs>();
  const replica = async (options: Parameters<typeof startJobs>[2] = {}): Promise<Jobs> => {
    const started = await startJobs(test().connect(), folder.path, options);
    running.add(started);
    return started;
  };
  const stop = async (one: Jobs): Promise<void> => {
    running.delete(one);
    await one.stop();
  };

  beforeAll(() => {
    database = test().connect();
  });
  beforeEach(async () => {
    folder = temporaryFolder();
    jobs = await replica();
  });
  afterEach(async () => {
    await Promise.all([...running].map(stop));
    await database.query('TRUNCATE verydeep.job CASCADE; TRUNCATE verydeep_queue.job');
    folder.remove();
  });
  afterAll(() => database.close());

  const step = (pid: number): unknown => process.kill(pid, 'SIGUSR2');

  describe('a job', () => {
    it('runs in its process and is done', async () => {
      const created = await jobs.create(request({ steps: 2, now: 2 }));
      expect(created).toMatchObject({ ...request(), state: 'queued', settings: { steps: 2, checked: true } });
      const events = await eventsOf(jobs, created.id);
      expect(namesOf(events)).toEqual([
        'state:queued',
        'state:running',
        'start',
        ...['checkpoint', 'step', 'checkpoint', 'step'],
        'state:done',
      ]);
      const result = { ensemble: 'mine', version: '1', digest: 'sha256:0', metrics: { step: 2 } };
      expect(events.at(-1)!.data).toEqual({ state: 'done', result });
      const done = await jobs.get(created.id);
      expect(done).toMatchObject({ id: created.id, state: 'done', result });
      expect(done.progress).toEqual({ epoch: 1, step: 2, steps: 2, imagesPerSecond: 10, etaSeconds: 0 });
      expect(done.startedAt! >= done.createdAt && done.finishedAt! >= done.startedAt!).toBe(true);
      expect(await jobs.log(created.id)).toMatch(/^hello from \d+\n$/);
      expect(await jobs.list({ limit: 100 })).toEqual({ jobs: [done] });
    });

    it('is refused where the check says so, and leaves nothing', async () => {
      await expect(jobs.create(request({ wrong: 1 }))).rejects.toMatchObject({ code: 'INVALID_JOB' });
      expect(await jobs.list({ limit: 100 })).toEqual({ jobs: [] });
    });

    it('waits for those before it; the newest is listed first', async () => {
      const first = await jobs.create(request());
      const following = follow(jobs, first.id);
      const { pid } = await following.started();
      const second = await jobs.create(request({ now: 1 }));
      const third = await jobs.create(request({ now: 1 }));
      const { jobs: listed } = await jobs.list({ limit: 100 });
      expect(listed.map(({ id }) => id)).toEqual([third.id, second.id, first.id]);
      expect(await jobs.counts()).toEqual({ queued: 2, running: 1, done: 0, failed: 0, cancelled: 0 });
      expect(jobs.running()).toEqual([{ id: first.id, type: 'train' }]);
      step(pid);
      const ends: string[] = [];
      for (const { id } of [first, second, third]) ends.push((await follow(jobs, id).state('running')).time);
      expect(ends.toSorted()).toEqual(ends);
      await eventsOf(jobs, third.id);
      expect(await jobs.counts()).toEqual({ queued: 0, running: 0, done: 3, failed: 0, cancelled: 0 });
    });

    it('tells what it does while it runs', async () => {
      const { id } = await jobs.create(request({ steps: 2 }));
      const following = follow(jobs, id);
      const { pid } = await following.started();
      step(pid);
      await following.until(({ type }) => type === 'step');
      expect(jobs.running()[0]).toMatchObject({
        id,
        loss: 1,
        progress: { step: 1 },
        checkpoint: { seconds: 0.5 },
      });
      expect(await jobs.get(id)).toMatchObject({ state: 'running', progress: { step: 1, steps: 2 } });
    });

    it.each(['get', 'cancel', 'resume', 'log', 'delete'] as const)('that is none: %s', async (call) => {
      for (const id of [unknown, 'x', '']) {
        await expect(jobs[call](id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
      await expect(eventsOf(jobs, unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('fails with the reason, and can be resumed', async () => {
      const { id } = await jobs.create(request({ fails: true }));
      const events = await eventsOf(jobs, id);
      const error = { code: 'INVALID_DATASET', message: 'no pictures' };
      expect(events.at(-1)!.data).toEqual({ state: 'failed', error });
      expect(await jobs.get(id)).toMatchObject({ state: 'failed', error });
      expect(await jobs.resume(id)).not.toHaveProperty('error');
      expect(namesOf(await eventsOf(jobs, id, events.length))).toEqual([
        ...['state:queued', 'state:running', 'state:failed'],
      ]);
    });

    it('fails where its process cannot be started', async () => {
      writeFileSync(join(folder.path, 'jobs'), 'in the way');
      const { id } = await jobs.create(request());
      await eventsOf(jobs, id);
      const { state, error } = await jobs.get(id);
      expect([state, error?.message]).toEqual(['failed', expect.stringContaining('cannot be started')]);
    });
  });

  describe('a process that is not as expected', () => {
    it('may say what is not in the protocol: it is complained of, and the job goes on', async () => {
      const complaints: unknown[] = [];
      await stop(jobs);
      const other = await replica({ onError: (error) => complaints.push(error) });
      const { id } = await other.create(request({ babbles: true, now: 1 }));
      expect(namesOf(await eventsOf(other, id))).toEqual([
        ...['state:queued', 'state:running', 'start', 'checkpoint', 'step', 'state:done'],
      ]);
      expect(complaints).toEqual([
        expect.objectContaining({ code: 'INTERNAL', message: expect.stringContaining('unexpected message') }),
      ]);
    });

    it('may say that it is done and not end: it is killed, and the job is done', async () => {
      await stop(jobs);
      const impatient = await replica({ timing: { graceMs: 10 } });
      const { id } = await impatient.create(request({ lingers: true, now: 1 }));
      const following = follow(impatient, id);
      const { pid } = await following.started();
      await following.state('done');
      await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
    });
  });

  describe('cancelling', () => {
    it('a job that waits ends it at once; one that runs keeps its checkpoint and goes on from there', async () => {
      const { id } = await jobs.create(request({ steps: 2 }));
      const following = follow(jobs, id);
      step((await following.started()).pid);
      await following.until(({ type }) => type === 'checkpoint');
      const waiting = await jobs.create(request());
      expect(await jobs.cancel(waiting.id)).toMatchObject({
        state: 'cancelled',
        finishedAt: expect.any(String),
      });

      expect(await jobs.cancel(id)).toMatchObject({ state: 'running' });
      const { sequence } = await following.state('cancelled');
      expect(await jobs.get(id)).toMatchObject({ state: 'cancelled', progress: { step: 1 } });
      await expect(jobs.cancel(id)).rejects.toMatchObject({ code: 'JOB_CONFLICT' });

      expect(await jobs.resume(id)).toMatchObject({ state: 'queued' });
      const again = follow(jobs, id, sequence);
      const { pid, step: from } = await again.started();
      expect(from).toBe(1);
      await expect(jobs.resume(id)).rejects.toMatchObject({ code: 'JOB_CONFLICT' });
      step(pid);
      await again.state('done');
      for (const call of ['cancel', 'resume'] as const) {
        await expect(jobs[call](id)).rejects.toMatchObject({
          code: 'JOB_CONFLICT',
          message: expect.stringContaining(`${id} is done`),
        });
      }
    });

    it('kills a process that does not stop', async () => {
      const stubborn = await replica({ timing: { graceMs: 10 } });
      await stop(jobs);
      const { id } = await stubborn.create(request({ ignoresStop: true }));
      const following = follow(stubborn, id);
      const { pid } = await following.started();
      await stubborn.cancel(id);
      await following.state('cancelled');
      await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
    });
  });

  describe('a process that dies', () => {
    it('is started again, from its checkpoint', async () => {
      const { id } = await jobs.create(request({ steps: 2 }));
      const following = follow(jobs, id);
      const first = await following.started();
      step(first.pid);
      await following.until(({ type }) => type === 'step');
      process.kill(first.pid, 'SIGKILL');
      const { data } = await following.state('queued');
      expect(data.reason).toBe('its process was ended by SIGKILL');
      const second = await following.started();
      expect(second.step).toBe(1);
      step(second.pid);
      await following.state('done');
      expect(startsOf(folder.path, id)).toBe(2);
    });

    it('fails after three times without a checkpoint in between; resumed, it has three more', async () => {
      const { id } = await jobs.create(request({ crashAt: 1, now: 1 }));
      const events = await eventsOf(jobs, id);
      const { state, error } = await jobs.get(id);
      expect([state, error?.code, startsOf(folder.path, id)]).toEqual(['failed', 'INTERNAL', 3]);
      expect(error?.message).toContain('3 times');
      await jobs.resume(id);
      await eventsOf(jobs, id, events.length);
      expect(startsOf(folder.path, id)).toBe(6);
    });

    it('may die as often as it likes where it gets on', async () => {
      const { id } = await jobs.create(request({ steps: 6 }));
      const following = follow(jobs, id);
      for (let i = 0; i < 5; i++) {
        const { pid, step: from } = await following.started();
        expect(from).toBe(i);
        step(pid);
        await following.until(({ type }) => type === 'step');
        process.kill(pid, 'SIGKILL');
      }
      step((await following.started()).pid);
      await following.state('done');
    });
  });

  describe('lists', () => {
    const idsOf = async (query: JobQuery): Promise<string[]> =>
      (await jobs.list(query)).jobs.map(({ id }) => id);

    it('have pages, which deleted and new jobs do not shift', async () => {
      const created: Job[] = [];
      for (let i = 0; i < 5; i++) created.unshift(await jobs.create(request({ now: 1 })));
      await eventsOf(jobs, created[0]!.id);
      const ids = created.map(({ id }) => id);
      const first = await jobs.list({ limit: 2 });
      expect(first.jobs.map(({ id }) => id)).toEqual(ids.slice(0, 2));
      await jobs.delete(ids[1]!); // the one after which the next page begins
      const newest = await jobs.create(request({ now: 1 }));
      const second = await jobs.list({ limit: 2, after: first.next });
      expect(second.jobs.map(({ id }) => id)).toEqual(ids.slice(2, 4));
      const third = await jobs.list({ limit: 2, after: second.next });
      expect(third).toMatchObject({ jobs: [{ id: ids[4] }] });
      expect(third).not.toHaveProperty('next');
      expect(await idsOf({ limit: 5 })).toEqual([newest.id, ids[0], ...ids.slice(2)]);
      expect(await jobs.list({ limit: 5 })).not.toHaveProperty('next');
    });

    it('are of some states and types', async () => {
      const failed = await jobs.create(request({ fails: true }));
      const evaluated = await jobs.create({ ...request({ now: 1 }), type: 'evaluate' });
      const running = await jobs.create(request());
      await follow(jobs, running.id).started();
      const queued = await jobs.create({ ...request(), type: 'localise' });
      const all = { limit: 100 };
      expect(await idsOf({ ...all, state: ['failed'] })).toEqual([failed.id]);
      expect(await idsOf({ ...all, state: ['queued', 'done'] })).toEqual([queued.id, evaluated.id]);
      expect(await idsOf({ ...all, type: ['train', 'localise'] })).toEqual([
        queued.id,
        running.id,
        failed.id,
      ]);
      expect(await idsOf({ ...all, type: ['train'], state: ['running', 'queued'] })).toEqual([running.id]);
      expect(await idsOf({ ...all, type: ['evaluate'], state: ['failed'] })).toEqual([]);
    });
  });

  describe('deleting', () => {
    it('forgets an ended job, its events and its files', async () => {
      const { id } = await jobs.create(request({ now: 1 }));
      await eventsOf(jobs, id);
      const files = join(folder.path, 'jobs', id);
      expect(existsSync(files)).toBe(true);
      await jobs.delete(id);
      await expect(jobs.get(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(existsSync(files)).toBe(false);
      expect(await database.query('SELECT * FROM verydeep.event WHERE job = $1', [id])).toEqual([]);
      await expect(jobs.delete(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('is refused while a job waits or runs', async () => {
      const { id } = await jobs.create(request());
      const following = follow(jobs, id);
      await following.started();
      const waiting = await jobs.create(request());
      for (const job of [id, waiting.id]) {
        await expect(jobs.delete(job)).rejects.toMatchObject({
          code: 'JOB_CONFLICT',
          message: expect.stringContaining('expected a job that has ended (cancel it first)'),
        });
      }
      await jobs.cancel(waiting.id);
      await jobs.delete(waiting.id);
      await jobs.cancel(id);
      await following.state('cancelled');
      await jobs.delete(id);
      expect(await idsIn(database)).toEqual([]);
    });
  });

  it('every state is told once it is stored', async () => {
    const told: string[] = [];
    await stop(jobs);
    const other = await replica({
      onState: (job, event) => told.push(`${job.id} ${job.state} ${event.error?.code}`),
    });
    const { id } = await other.create(request({ fails: true }));
    await eventsOf(other, id);
    const waiting = await other.create(request());
    await follow(other, waiting.id).started();
    await stop(other);
    expect(told).toEqual([
      `${id} queued undefined`,
      `${id} running undefined`,
      `${id} failed INVALID_DATASET`,
      `${waiting.id} queued undefined`,
      `${waiting.id} running undefined`,
      `${waiting.id} queued undefined`, // the service stops
    ]);
  });

  describe('events', () => {
    it('are read again from any number, and by several readers', async () => {
      const { id } = await jobs.create(request({ steps: 3 }));
      const readers = [eventsOf(jobs, id), eventsOf(jobs, id, 2)];
      const following = follow(jobs, id);
      const { pid } = await following.started();
      for (let i = 0; i < 3; i++) {
        step(pid);
        await following.until(({ type }) => type === 'step');
      }
      const [all, late] = await Promise.all(readers);
      expect(late).toEqual(all!.slice(2));
      expect(await eventsOf(jobs, id, all!.length - 1)).toEqual(all!.slice(-1));
      expect(await eventsOf(jobs, id, all!.length + 10).catch(() => [])).toEqual([]);
    });

    it('end for a reader that leaves', async () => {
      const { id } = await jobs.create(request());
      const following = follow(jobs, id);
      await following.started();
      const next = following.events.next();
      following.leave();
      expect(await next).toEqual({ done: true, value: undefined });
    });
  });

  describe('a database that is gone', () => {
    it('does not stop the job; its events arrive afterwards', async () => {
      const { id } = await jobs.create(request({ steps: 3 }));
      const following = follow(jobs, id);
      const { pid } = await following.started();
      await test().interrupt();
      for (const done of [1, 2]) {
        step(pid);
        await expect.poll(() => jobs.running()[0]?.progress?.step, { timeout: 20_000 }).toBe(done);
      }
      step(pid); // the last one: the process ends while nobody can be told
      await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
      await test().restore();
      await following.state('done');
      const steps = (await eventsOf(jobs, id)).filter(({ type }) => type === 'step');
      expect(steps.map(({ data }) => data.step)).toEqual([1, 2, 3]);
      expect(startsOf(folder.path, id)).toBe(1);
    });
  });

  describe('replicas', () => {
    it('never run one job twice', async () => {
      await replica();
      await replica();
      const created = await Promise.all(Array.from({ length: 12 }, () => jobs.create(request({ now: 1 }))));
      for (const { id } of created) {
        const names = namesOf(await eventsOf(jobs, id));
        expect(names.filter((name) => name.startsWith('state:'))).toEqual([
          ...['state:queued', 'state:running', 'state:done'],
        ]);
        expect(startsOf(folder.path, id)).toBe(1);
      }
    });

    it('take over a job whose replica is not heard of any more', async () => {
      await stop(jobs);
      const id = '22222222-0000-4000-8000-000000000000';
      const queue = createQueue(database);
      await queue.start();
      const transact = createTransact(database, queue, () => undefined);
      await transact((transaction) => queueNew(transaction, id, request({ now: 1 })));
      const lease = -1; // it is over already
      const taken = await transact((transaction) => take(transaction, stranger, lease));
      expect(taken?.id).toBe(id);
      const other = await replica({ timing: { leaseMs: 1000 } });
      const reasons = (await eventsOf(other, id)).map(({ data }) => data.reason).filter(Boolean);
      expect(reasons).toEqual(['the process that ran it has not been heard of']);
      expect(await other.get(id)).toMatchObject({ state: 'done' });
    });

    it('end the process of a job that has been taken over, and say nothing more', async () => {
      const { id } = await jobs.create(request({ ignoresStop: true }));
      const following = follow(jobs, id);
      const { pid } = await following.started();
      await changeJob(database, id, { runner: stranger });
      await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
      await expect.poll(() => jobs.running(), { timeout: 20_000 }).toEqual([]);
      expect((await jobs.get(id)).state).toBe('running'); // of the stranger
    });

    it('cancel a job that another one runs', async () => {
      const { id } = await jobs.create(request());
      await follow(jobs, id).started();
      const other = await replica();
      await other.cancel(id);
      await follow(other, id).state('cancelled');
    });
  });

  describe('a service that stops', () => {
    it('puts its job back, and the next one goes on', async () => {
      const { id } = await jobs.create(request({ steps: 2 }));
      const following = follow(jobs, id);
      step((await following.started()).pid);
      await following.until(({ type }) => type === 'step');
      for (let i = 0; i < 4; i++) {
        await stop(jobs);
        jobs = await replica();
        const states = follow(jobs, id);
        for (let n = 0; n <= i; n++) {
          expect((await states.until(({ data }) => data.reason !== undefined)).data.reason).toBe(
            'the service stops',
          );
        }
        const { pid, step: from } = await states.started();
        expect(from).toBe(1);
        if (i === 3) {
          step(pid);
          await states.state('done');
        }
      }
      expect(readFileSync(join(folder.path, 'jobs', id, 'checkpoint'), 'utf8')).toBe('2');
    });
  });
}

async function idsIn(database: Database): Promise<string[]> {
  return (await database.query<{ id: string }>('SELECT id FROM verydeep.job')).map(({ id }) => id);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
