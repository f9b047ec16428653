import { z } from 'zod';
import { job } from '../../jobs/job.ts';

export const jobList = z.object({ jobs: z.array(job).describe('Newest first.') }).meta({ id: 'JobList' });
