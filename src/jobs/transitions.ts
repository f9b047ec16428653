import type { Sql } from '../database/database.ts';
import { VerydeepError } from '../errors.ts';
import { hasEnded, type JobError, type JobState, type NewJob, type StateEvent } from './job.ts';
import {
  appendEvents,
  changeJob,
  deleteJob,
  findJob,
  insertJob,
  type JobChange,
  type JobRow,
  lockJob,
  lockLostJobs,
  renewLease,
} from './store.ts';
import type { Transaction } from './transact.ts';

/**
 * How a job goes from state to state. Each function runs in a transaction that it is given and changes the row, the
 * queue and the events together, so that no kill leaves two of them at odds.
 */

/** A job that was started so often without a checkpoint in between fails: its process does not survive. */
const maxStarts = 3;

export async function queueNew(transaction: Transaction, id: string, request: NewJob): Promise<JobRow> {
  const { sql, queue } = transaction;
  await insertJob(sql, id, request);
  await queue.add(sql, id);
  return moveTo(transaction, id, 'queued');
}

/** A queued job is cancelled at once; of a running one its runner is told, which ends it within seconds. */
export async function cancel(transaction: Transaction, id: string): Promise<JobRow> {
  const { sql, queue } = transaction;
  const row = await existing(sql, id);
  if (row.state === 'running') return changeJob(sql, id, { cancelling: true });
  if (row.state !== 'queued') throw conflict(row, 'a queued or running job');
  await queue.remove(sql, id);
  return moveTo(transaction, id, 'cancelled', ended());
}

/** Queues an ended job again, behind those that wait. */
export async function resume(transaction: Transaction, id: string): Promise<JobRow> {
  const { sql, queue } = transaction;
  const row = await existing(sql, id);
  if (row.state !== 'cancelled' && row.state !== 'failed') throw conflict(row, 'a cancelled or failed job');
  await queue.add(sql, id);
  return moveTo(transaction, id, 'queued', {
    finished_at: null,
    error: null,
    cancelling: false,
    starts: 0,
  });
}

/** Forgets an ended job. */
export async function remove({ sql }: Transaction, id: string): Promise<void> {
  const row = await existing(sql, id);
  if (!hasEnded(row.state)) throw conflict(row, 'a job that has ended (cancel it first)');
  await deleteJob(sql, id);
}

/** Gives the next job that waits to `runner`. Jobs that cannot be started any more end here. */
export async function take(
  transaction: Transaction,
  runner: string,
  leaseMs: number,
): Promise<JobRow | undefined> {
  const { sql, queue } = transaction;
  for (let id = await queue.take(sql); id !== undefined; id = await queue.take(sql)) {
    const row = (await lockJob(sql, id))!;
    if (row.cancelling) await end(transaction, id, 'cancelled');
    else if (row.starts >= maxStarts) await end(transaction, id, 'failed', { error: doesNotSurvive });
    else {
      await renewLease(sql, id, leaseMs);
      return moveTo(transaction, id, 'running', {
        runner,
        reports: 0,
        starts: row.starts + 1,
        started_at: row.started_at ?? new Date(),
      });
    }
  }
  return undefined;
}

/** The job ends; it can be resumed if it was cancelled or failed. */
export async function end(
  transaction: Transaction,
  id: string,
  state: 'done' | 'failed' | 'cancelled',
  outcome: Pick<JobChange, 'result' | 'error'> = {},
): Promise<void> {
  await transaction.queue.remove(transaction.sql, id);
  await moveTo(transaction, id, state, { ...ended(), ...outcome });
}

/** Puts a job back to its place in the queue; it goes on from its checkpoint. */
export async function putBack(
  transaction: Transaction,
  id: string,
  reason: string,
  change: JobChange = {},
): Promise<void> {
  await transaction.queue.putBack(transaction.sql, id);
  await moveTo(transaction, id, 'queued', { runner: null, lease_until: null, ...change }, reason);
}

/** Puts back the jobs whose runner is lost: its lease is over, or `all` are known to be. */
export async function putBackLost(transaction: Transaction, all = false): Promise<void> {
  for (const id of await lockLostJobs(transaction.sql, all)) {
    await putBack(transaction, id, 'the process that ran it has not been heard of');
  }
}

/** Throws NOT_FOUND. */
export async function foundJob(sql: Sql, id: string): Promise<JobRow> {
  const row = isId(id) ? await findJob(sql, id) : undefined;
  if (row === undefined) throw notFound(id);
  return row;
}

// --- helpers ---

const doesNotSurvive: JobError = {
  code: 'INTERNAL',
  message: `its process ended ${maxStarts} times without a checkpoint in between; the job's log has its last words`,
};

const ended = (): JobChange => ({
  finished_at: new Date(),
  runner: null,
  lease_until: null,
  cancelling: false,
});

async function moveTo(
  { sql, moves }: Transaction,
  id: string,
  state: JobState,
  change: JobChange = {},
  reason?: string,
): Promise<JobRow> {
  const row = await changeJob(sql, id, { ...change, state });
  const event: StateEvent = {
    type: 'state',
    state,
    ...(reason !== undefined && { reason }),
    ...(state === 'done' && row.result && { result: row.result }),
    ...(state === 'failed' && row.error && { error: row.error }),
  };
  await appendEvents(sql, id, [{ time: new Date().toISOString(), event }]);
  moves.push({ row, event });
  return row;
}

async function existing(sql: Sql, id: string): Promise<JobRow> {
  const row = isId(id) ? await lockJob(sql, id) : undefined;
  if (row === undefined) throw notFound(id);
  return row;
}

function isId(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
}

function notFound(id: string): VerydeepError {
  return new VerydeepError('NOT_FOUND', `expected the id of a job, received "${id}"`);
}

function conflict({ id, state }: JobRow, expected: string): VerydeepError {
  return new VerydeepError('JOB_CONFLICT', `expected ${expected}, ${id} is ${state}`);
}
