import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { TestDatabase } from './test-database.ts';

/** What every database of jobs does. */
export function databaseContract(test: () => TestDatabase): void {
  let database: Database;
  beforeAll(async () => {
    database = test().connect();
    await database.query('CREATE TABLE note (text text UNIQUE)');
  });
  afterAll(() => database.close());

  const notes = async (): Promise<string[]> =>
    (await database.query<{ text: string }>('SELECT text FROM note ORDER BY text')).map(({ text }) => text);
  const write = (sql: Pick<Database, 'query'>, text: string): Promise<unknown[]> =>
    sql.query('INSERT INTO note VALUES ($1)', [text]);

  describe('a database', () => {
    it('answers the rows of the last statement, with types', async () => {
      expect(await database.query('SELECT 1 AS a; SELECT 2 AS b')).toEqual([{ b: 2 }]);
      const [row] = await database.query<Record<string, unknown>>(
        `SELECT $1::jsonb AS json, timestamptz '2026-01-31T12:00:00Z' AS time, NULL AS nothing`,
        ['{"a":[1]}'],
      );
      expect(row).toEqual({ json: { a: [1] }, time: new Date('2026-01-31T12:00:00Z'), nothing: null });
    });

    it('keeps all of a transaction or nothing', async () => {
      await database.transaction(async (sql) => {
        await write(sql, 'a');
        await write(sql, 'b');
      });
      const refused = database.transaction(async (sql) => {
        await write(sql, 'c');
        await write(sql, 'a');
      });
      await expect(refused).rejects.toThrow('duplicate key');
      const thrown = database.transaction(async (sql) => {
        await write(sql, 'd');
        throw new RangeError('of the work itself');
      });
      await expect(thrown).rejects.toThrow(RangeError);
      expect(await notes()).toEqual(['a', 'b']);
    });

    it('does not mix transactions that run at once', async () => {
      const names = ['e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];
      await Promise.allSettled(
        names.map((name, i) =>
          database.transaction(async (sql) => {
            await write(sql, name);
            if (i % 2 === 1) throw new Error('taken back');
          }),
        ),
      );
      expect(await notes()).toEqual(['a', 'b', 'e', 'g', 'i', 'k']);
    });

    it('says that a statement is wrong, and goes on', async () => {
      await expect(database.query('SELECT nonsense')).rejects.toThrow('nonsense');
      await expect(database.query('SELECT 1 AS a')).resolves.toEqual([{ a: 1 }]);
    });

    it('is away, forgets what was not committed, and comes back', async () => {
      const cut = database.transaction(async (sql) => {
        await write(sql, 'm');
        await test().interrupt();
        await write(sql, 'n');
      });
      await expect(cut).rejects.toMatchObject({ code: 'JOBS_UNAVAILABLE', retryAfterSeconds: 5 });
      await test().restore();
      expect(await notes()).toEqual(['a', 'b', 'e', 'g', 'i', 'k']);
    });
  });
}
