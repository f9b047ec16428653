import PgBoss from 'pg-boss';
import type { Database, Sql } from '../database/database.ts';

/**
 * The order of jobs that wait, in pg-boss. All its calls join a transaction of the caller, so that a job's row and its
 * place in the queue change together. A job that ends leaves the queue: the tables of store.ts are the history.
 */
export interface JobQueue {
  /** Makes or migrates the tables of pg-boss. */
  start(): Promise<void>;
  add(sql: Sql, id: string): Promise<void>;
  /** The job that has waited longest, and is given to nobody else from now on. */
  take(sql: Sql): Promise<string | undefined>;
  /** Puts a job that was taken back to its old place. */
  putBack(sql: Sql, id: string): Promise<void>;
  remove(sql: Sql, id: string): Promise<void>;
}

const queueName = 'jobs';

export function createQueue(database: Database): JobQueue {
  const by = (sql: Sql): PgBoss.ConnectionOptions => ({
    db: { executeSql: async (text, values) => ({ rows: await sql.query(text, values) }) },
  });
  let boss = createBoss(by(database));
  return {
    async start() {
      boss = createBoss(by(database)); // one whose start has failed takes itself for started
      await boss.start();
      await boss.createQueue(queueName, { name: queueName, retryLimit: 2 ** 30 });
    },
    add: async (sql, id) => void (await boss.send(queueName, {}, { id, ...by(sql) })),
    take: async (sql) => (await boss.fetch(queueName, by(sql)))[0]?.id,
    putBack: (sql, id) => boss.fail(queueName, id, {}, by(sql)),
    remove: (sql, id) => boss.deleteJob(queueName, id, by(sql)),
  };
}

// --- helpers ---

function createBoss(connection: PgBoss.ConnectionOptions): PgBoss {
  const boss = new PgBoss({
    ...connection,
    schema: 'verydeep_queue',
    // Trainings take longer than the day after which pg-boss gives jobs up: jobs that are lost are told by their lease
    // (store.ts), and ended ones leave the queue at once.
    supervise: false,
    schedule: false,
  });
  boss.on('error', () => undefined); // of its workers and its maintenance, which are not used
  return boss;
}
