import { openEmbedded } from '../database/embedded.ts';
import { openPostgres } from '../database/postgres.ts';
import { createJobs, type JobsOptions } from '../jobs/create-jobs.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { programBeside } from '../processes/programs.ts';
import { threadLimit } from '../processes/threads.ts';
import { createJobCheck } from '../tasks/check.ts';
import type { JobContext } from '../tasks/context.ts';
import type { Settings } from './settings.ts';
import { packageWeights } from './weights-folder.ts';

/** The queue of jobs, as the settings say. Throws INVALID_SETTINGS (DATA_DIR in use, a database that refuses). */
export async function startJobs(
  settings: Settings,
  { onError, onState }: Pick<JobsOptions, 'onError' | 'onState'>,
): Promise<Jobs> {
  const { dataDir, databaseUrl } = settings;
  const context = jobContextOf(settings);
  return createJobs({
    dataDir,
    database: databaseUrl === undefined ? await openEmbedded(dataDir) : openPostgres(databaseUrl),
    check: createJobCheck(context),
    program: { module: programBeside(import.meta.url, '../main'), argv: ['job-process'], context },
    onError,
    onState,
  });
}

/** What the settings say to jobs. They run on the CPU, by the engine that serves. */
export function jobContextOf({
  weightsDir = packageWeights,
  datasetsDir,
  engine,
  onednnLibrary,
  jobThreads,
}: Settings): JobContext {
  return {
    weightsDir,
    ...(datasetsDir !== undefined && { datasetsDir }),
    engine,
    device: 'cpu',
    ...(onednnLibrary !== undefined && { libraryPath: onednnLibrary }),
    threads: jobThreads || threadLimit(),
    idleOnly: jobThreads === 0,
  };
}
