import { afterAll, beforeAll, describe } from 'vitest';
import { databaseContract } from '../database/database-contract.ts';
import { startPostgres, type TestDatabase } from '../database/test-database.ts';
import { jobsContract } from './jobs-contract.ts';

/** `npm run test:postgres` starts a server for it. */
const url = process.env.TEST_DATABASE_URL;

describe.skipIf(url === undefined)('PostgreSQL', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await startPostgres(url!);
  });
  afterAll(() => test.end());

  databaseContract(() => test);
  jobsContract(() => test);
});
