import type { Job, JobEvent, JobState, NewJob, RunningJob } from './job.ts';
import type { JobList, JobQuery } from './listing.ts';

/** The queue of jobs, shared by all replicas on one database. */
export interface Jobs {
  /** Throws INVALID_JOB if type, data set or settings are not as expected; JOBS_UNAVAILABLE without the database. */
  create(request: NewJob): Promise<Job>;
  list(query: JobQuery): Promise<JobList>;
  /** Throws NOT_FOUND. */
  get(id: string): Promise<Job>;
  /** Stops within seconds and keeps the checkpoint. Throws NOT_FOUND, and JOB_CONFLICT if it has ended. */
  cancel(id: string): Promise<Job>;
  /** Queues a cancelled or failed job again, from its checkpoint. Throws NOT_FOUND, JOB_CONFLICT. */
  resume(id: string): Promise<Job>;
  /**
   * Forgets an ended job, its events and its files here; the version that it made stays. Throws NOT_FOUND, and
   * JOB_CONFLICT if it has not ended.
   */
  delete(id: string): Promise<void>;
  /** Events after `sequence` (0: all), then those that follow, until the job ends or `signal` is aborted. */
  events(id: string, sequence: number, signal: AbortSignal): AsyncIterable<JobEvent>;
  /** What the job's process wrote for people, as far as it got. */
  log(id: string): Promise<string>;
  counts(): Promise<Readonly<Record<JobState, number>>>;
  /** The jobs that run here and now, not those of other replicas. */
  running(): readonly RunningJob[];
  /** Starts no more jobs; a running one writes a checkpoint and goes on at the next start, here or elsewhere. */
  stop(): Promise<void>;
}
