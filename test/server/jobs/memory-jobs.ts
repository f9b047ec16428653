import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { VerydeepError } from '../../../src/errors.ts';
import type { Job, JobEvent, JobState, RunningJob } from '../../../src/jobs/job.ts';
import type { Jobs } from '../../../src/jobs/jobs.ts';

export interface MemoryJobs extends Jobs {
  /** Something happens to a job. */
  tell(id: string, type: string, data?: Record<string, unknown>): void;
  /** It gets into this state, and the event for it. */
  move(id: string, state: JobState): void;
  /** From now on the database is gone. */
  lose(): void;
  readonly runningJobs: RunningJob[];
}

/** A queue that runs nothing: the test says what happens. */
export function createMemoryJobs(): MemoryJobs {
  const jobs = new Map<string, Job>();
  const events = new Map<string, JobEvent[]>();
  const told = new EventEmitter().setMaxListeners(0);
  const runningJobs: RunningJob[] = [];
  let lost = false;

  function find(id: string): Job {
    if (lost) throw new VerydeepError('JOBS_UNAVAILABLE', 'ECONNREFUSED 10.0.0.7:5432');
    const job = jobs.get(id);
    if (!job) throw new VerydeepError('NOT_FOUND', `job "${id}": there is none`);
    return job;
  }

  function tell(id: string, type: string, data: Record<string, unknown> = {}): void {
    const list = events.get(id)!;
    list.push({ sequence: list.length + 1, time: '2026-01-31T12:00:00.000Z', type, data });
    told.emit(id);
  }

  function move(id: string, state: JobState): Job {
    const job = { ...find(id), state };
    jobs.set(id, job);
    tell(id, 'state', { state });
    return job;
  }

  const hasEnded = (id: string): boolean => ['done', 'failed', 'cancelled'].includes(find(id).state);

  return {
    runningJobs,
    tell,
    move,
    lose() {
      lost = true;
    },
    async create(request) {
      if (request.dataset.includes('..')) {
        throw new VerydeepError('INVALID_JOB', `dataset: expected a folder; received "${request.dataset}"`);
      }
      const id = randomUUID();
      jobs.set(id, { ...request, id, state: 'queued', createdAt: '2026-01-31T12:00:00.000Z' });
      events.set(id, []);
      return move(id, 'queued');
    },
    async list({ state, limit }) {
      const all = [...jobs.values()].reverse().filter((job) => !state || state.includes(job.state));
      return { jobs: all.slice(0, limit), ...(all.length > limit && { next: all[limit - 1]!.id }) };
    },
    get: async (id) => find(id),
    async cancel(id) {
      find(id);
      if (hasEnded(id)) throw new VerydeepError('JOB_CONFLICT', 'expected a job that has not ended');
      return move(id, 'cancelled');
    },
    async resume(id) {
      find(id);
      if (!hasEnded(id)) throw new VerydeepError('JOB_CONFLICT', 'expected a job that has ended');
      return move(id, 'queued');
    },
    async delete(id) {
      find(id);
      if (!hasEnded(id)) throw new VerydeepError('JOB_CONFLICT', 'expected a job that has ended');
      jobs.delete(id);
    },
    async *events(id, sequence, signal) {
      for (let next = sequence; ; ) {
        const list = events.get(id)!;
        while (next < list.length) yield list[next++]!;
        if (hasEnded(id)) return;
        await once(told, id, { signal });
      }
    },
    log: async (id) => `log of ${find(id).dataset}\n`,
    async counts() {
      if (lost) throw new VerydeepError('JOBS_UNAVAILABLE', 'ECONNREFUSED 10.0.0.7:5432');
      const counts = { queued: 0, running: 0, done: 0, failed: 0, cancelled: 0 };
      for (const { state } of jobs.values()) counts[state]++;
      return counts;
    },
    running: () => runningJobs,
    async stop() {},
  };
}
