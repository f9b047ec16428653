import { afterAll, beforeAll, describe } from 'vitest';
import { databaseContract } from './database-contract.ts';
import { jobsContract } from './jobs-contract.ts';
import { startEmbedded, type TestDatabase } from './test-database.ts';

describe('PGlite', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await startEmbedded();
  });
  afterAll(() => test.end());

  databaseContract(() => test);
  jobsContract(() => test);
});
