import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { VerydeepError } from '../../src/errors.ts';
import { createJobs, type JobsOptions } from '../../src/jobs/create-jobs.ts';
import type { JobEvent, NewJob } from '../../src/jobs/job.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';

/** Short, so that tests are; nothing of what they expect depends on it. */
const timing = { leaseMs: 5000, reportMs: 20, graceMs: 5000, pollMs: 20 };

export const program = {
  module: new URL('./program.mjs', import.meta.url),
  argv: [],
  context: { greeting: 'hello' },
};

/** Jobs that program.mjs runs. */
export function startJobs(
  database: Database,
  dataDir: string,
  options: Partial<JobsOptions> & { readonly timing?: Partial<typeof timing> } = {},
): Promise<Jobs> {
  return createJobs({
    database,
    dataDir,
    program,
    async check({ settings }) {
      if ('wrong' in settings) throw new VerydeepError('INVALID_JOB', 'settings.wrong: unknown');
      return { ...settings, checked: true };
    },
    onError: () => undefined,
    onState: () => undefined,
    ...options,
    timing: { ...timing, ...options.timing },
  });
}

export function request(settings: NewJob['settings'] = {}): NewJob {
  return { type: 'train', dataset: 'birds', ensemble: 'mine', settings };
}

/** A folder that `remove` removes. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'verydeep jobs '));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** How often a job's process was started. */
export function startsOf(dataDir: string, id: string): number {
  return readFileSync(join(dataDir, 'jobs', id, 'starts'), 'utf8')
    .trim()
    .split('\n').length;
}

/** Follows a job from its first event. */
export function follow(jobs: Jobs, id: string, sequence = 0) {
  const leaving = new AbortController();
  const events = jobs.events(id, sequence, leaving.signal)[Symbol.asyncIterator]();
  const until = async (matches: (event: JobEvent) => boolean): Promise<JobEvent> => {
    for (;;) {
      const { value, done } = await events.next();
      if (done) throw new Error('the events have ended');
      if (matches(value)) return value;
    }
  };
  return {
    until,
    /** The next one of this state. */
    state: (state: string) => until(({ type, data }) => type === 'state' && data.state === state),
    /** The process of the next start, and the step that it starts from. */
    async started() {
      const { engine, step } = (await until(({ type }) => type === 'start')).data;
      return { pid: Number(engine), step };
    },
    leave: () => leaving.abort(),
    events,
  };
}

/** All events of a job, to its end. */
export async function eventsOf(jobs: Jobs, id: string, sequence = 0): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of jobs.events(id, sequence, new AbortController().signal)) events.push(event);
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, i) => sequence + i + 1));
  return events;
}

/** `state:running`, `step`, ... in their order. */
export function namesOf(events: readonly JobEvent[]): string[] {
  return events.map(({ type, data }) => (type === 'state' ? `state:${data.state}` : type));
}
