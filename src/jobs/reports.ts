import type { Report } from './outbox.ts';
import type { Outcome } from './run.ts';
import { appendEvents, changeJob, type JobRow, lockJob, renewLease } from './store.ts';
import type { Transaction } from './transact.ts';
import { end, putBack } from './transitions.ts';

/** What the runner of a job stores of it, each in a transaction that it is given. */

/** Whose job it is. */
export interface Claim {
  readonly id: string;
  readonly runner: string;
  readonly leaseMs: number;
}

/** Stores a report once, and renews the lease. Returns undefined if the job belongs to somebody else. */
export async function storeReport(
  { sql }: Transaction,
  { id, runner, leaseMs }: Claim,
  { number, events, progress }: Report,
): Promise<Pick<JobRow, 'cancelling'> | undefined> {
  const row = await lockJob(sql, id);
  if (row?.runner !== runner) return undefined;
  await renewLease(sql, id, leaseMs);
  if (row.reports < number) {
    await appendEvents(sql, id, events);
    const saved = events.some(({ event }) => event.type === 'checkpoint');
    await changeJob(sql, id, { reports: number, ...(progress && { progress }), ...(saved && { starts: 0 }) });
  }
  return { cancelling: row.cancelling };
}

/** Moves a job to where its outcome leads. Does nothing if it belongs to somebody else, or if it was settled before. */
export async function settle(
  transaction: Transaction,
  { id, runner }: Claim,
  outcome: Outcome,
  stopping: boolean,
): Promise<void> {
  const row = await lockJob(transaction.sql, id);
  if (row?.runner !== runner) return;
  if (outcome.type === 'done') await end(transaction, id, 'done', { result: outcome.result });
  else if (outcome.type === 'failed') await end(transaction, id, 'failed', { error: outcome.error });
  else if (row.cancelling) await end(transaction, id, 'cancelled');
  else if (stopping) await putBack(transaction, id, 'the service stops', { starts: 0 });
  else {
    const how = outcome.type === 'crashed' ? outcome.reason : 'stopped';
    await putBack(transaction, id, `its process ${how}`);
  }
}
