import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { JobState } from '../../src/jobs/job.ts';
import { createQueue } from '../../src/jobs/queue.ts';
import { settle } from '../../src/jobs/reports.ts';
import type { Outcome } from '../../src/jobs/run.ts';
import { migrate } from '../../src/jobs/schema.ts';
import { lockJob, queryJobs, readEvents } from '../../src/jobs/store.ts';
import { createTransact, type Transact, type Transaction } from '../../src/jobs/transact.ts';
import { cancel, putBackLost, queueNew, resume, take } from '../../src/jobs/transitions.ts';
import { openInMemory } from './in-memory.ts';
import { request } from './test-jobs.ts';

type Move = `${JobState} > ${JobState}`;

/** What each event may do to a job. Nothing else may ever happen: a job that is done stays so. */
const moves = {
  cancel: ['queued > cancelled'],
  resume: ['failed > queued', 'cancelled > queued'],
  // Those that were cancelled while they ran, or do not survive, end instead of being started.
  take: ['queued > running', 'queued > cancelled', 'queued > failed'],
  done: ['running > done'],
  failed: ['running > failed'],
  stopped: ['running > cancelled', 'running > queued'],
  lost: ['running > queued'],
} as const satisfies Record<string, readonly Move[]>;

type EventName = keyof typeof moves;

const event = fc.record({
  name: fc.constantFrom(...(Object.keys(moves) as EventName[]), 'take'), // without which little happens
  job: fc.nat(1),
});

let database: Database;
let transact: Transact;
/** The states that were told of, `ID: STATE`. */
let told: string[];
beforeAll(async () => {
  database = await openInMemory();
  const queue = createQueue(database);
  await queue.start();
  transact = createTransact(database, queue, ({ row, event }) => {
    expect(event.state).toBe(row.state);
    told.push(`${row.id}: ${row.state}`);
  });
  await migrate(database);
});
afterAll(() => database.close());

it('a job goes from state to state only as it may, whatever happens in whatever order', async () => {
  const seen = new Set<string>();
  const property = fc.asyncProperty(fc.array(event, { minLength: 12, maxLength: 16 }), async (events) => {
    await database.query('DELETE FROM verydeep.job; DELETE FROM verydeep_queue.job');
    told = [];
    const ids = [randomUUID(), randomUUID()];
    for (const id of ids) await transact((transaction) => queueNew(transaction, id, request()));
    const states = async (): Promise<JobState[]> => {
      const jobs = new Map(
        (await queryJobs(database, 'SELECT * FROM verydeep.job', [])).map(({ id, state }) => [id, state]),
      );
      return ids.map((id) => jobs.get(id)!);
    };
    let before = await states();
    for (const { name, job } of events) {
      const refused = await transact((transaction) => happen(transaction, name, ids[job]!))
        .then(() => false)
        .catch((error: { code: unknown }) => error.code === 'JOB_CONFLICT' || Promise.reject(error));
      const after = await states();
      for (const [i, state] of after.entries()) {
        if (state === before[i]) continue;
        const move = `${before[i]} > ${state}`;
        expect(moves[name], name).toContain(move);
        if (name !== 'take' && name !== 'lost') expect(i).toBe(job); // these choose for themselves
        seen.add(move);
      }
      const may = { cancel: ['queued', 'running'], resume: ['failed', 'cancelled'] };
      if (name === 'cancel' || name === 'resume')
        expect(refused, name).toBe(!may[name].includes(before[job]!));
      before = after;
    }
    await expectHistories(database, ids, before);
  });
  await fc.assert(property, { numRuns: 20, seed: 1 });
  const rare = ['queued > failed']; // a job that was started three times
  const expected = new Set<string>(Object.values(moves).flat());
  expect([...expected].filter((move) => !seen.has(move) && !rare.includes(move))).toEqual([]);
});

// --- helpers ---

/** An outcome is the job's only if it has a runner. */
async function happen(transaction: Transaction, name: EventName, id: string): Promise<unknown> {
  if (name === 'cancel') return cancel(transaction, id);
  if (name === 'resume') return resume(transaction, id);
  if (name === 'take') return take(transaction, randomUUID(), 60_000);
  if (name === 'lost') return putBackLost(transaction, true);
  const { runner } = (await lockJob(transaction.sql, id))!;
  const claim = { id, runner: runner ?? 'nobody', leaseMs: 60_000 };
  return settle(transaction, claim, outcomes[name], false);
}

const outcomes = {
  done: { type: 'done', result: { ensemble: 'mine', version: '1', digest: 'sha256:0', metrics: {} } },
  failed: { type: 'failed', error: { code: 'INVALID_DATASET', message: 'no pictures' } },
  stopped: { type: 'stopped' },
} as const satisfies Record<string, Outcome>;

/** The events tell every state that the job was in, in their order, and the last one is its own. */
async function expectHistories(database: Database, ids: readonly string[], states: readonly JobState[]) {
  const allowed: readonly string[] = Object.values(moves).flat();
  for (const [i, id] of ids.entries()) {
    const stored = (await readEvents(database, id, 0, 1000)).map(({ data }) => data.state as JobState);
    expect(stored[0]).toBe('queued');
    expect(stored.at(-1)).toBe(states[i]);
    stored.slice(1).forEach((state, k) => void expect(allowed).toContain(`${stored[k]} > ${state}`));
    expect(told.filter((line) => line.startsWith(id))).toEqual(stored.map((state) => `${id}: ${state}`));
  }
}
