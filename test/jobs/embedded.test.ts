import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseContract } from '../database/database-contract.ts';
import { startEmbedded, type TestDatabase } from '../database/test-database.ts';
import { jobsContract } from './jobs-contract.ts';
import { startJobs } from './test-jobs.ts';

describe('PGlite', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await startEmbedded();
  });
  afterAll(() => test.end());

  databaseContract(() => test);
  jobsContract(() => test);

  it('that cannot be brought up to date is named by its folder', async () => {
    const database = { ...test.connect(), exclusive: true };
    await database.query('DELETE FROM verydeep.migration'); // as if its tables were of another program
    await expect(startJobs(database, '/my data')).rejects.toMatchObject({
      code: 'INVALID_SETTINGS',
      message: 'DATA_DIR: the database in /my data: relation "job" already exists',
    });
    await database.query('INSERT INTO verydeep.migration VALUES (0), (1)');
  });
});
