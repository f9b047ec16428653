/** Background jobs as callers see them: what is asked for, what is answered, what is told while they run. */

export const jobTypes = ['train', 'localise', 'evaluate'] as const;
export type JobType = (typeof jobTypes)[number];

export const jobStates = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export interface JobRequest {
  /** `train` a classification network, a `localise` network on boxes, or `evaluate` an ensemble. */
  readonly type: JobType;
  /** Folder under the folder of data sets, with `train/` and `val/`. */
  readonly dataset: string;
  /** Ensemble that gets the new version; of `evaluate` the one to measure, `NAME` or `NAME@VERSION`. */
  readonly ensemble: string;
  /** Those of the type; checked before the job is accepted. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface JobProgress {
  /** Counted from 1. */
  readonly epoch: number;
  /** Steps done in this epoch, of `steps`. */
  readonly step: number;
  readonly steps: number;
  readonly imagesPerSecond: number;
  readonly etaSeconds: number;
}

export interface JobResult {
  readonly ensemble: string;
  readonly version: string;
  /** `sha256:...` of the version's manifest. */
  readonly digest: string;
  readonly metrics: Readonly<Record<string, unknown>>;
}

export interface Job extends JobRequest {
  readonly id: string;
  readonly state: JobState;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly progress?: JobProgress;
  readonly result?: JobResult;
  /** Why it failed. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** Something that happened to a job. Numbers rise by one, so that a reader can go on where it was cut off. */
export interface JobEvent {
  readonly sequence: number;
  /** ISO 8601. */
  readonly time: string;
  /** `state`, or a type of training/events.ts: `step`, `epoch`, `checkpoint`, ... */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A job whose process belongs to this service, by the last events that it told; for metrics. */
export interface RunningJob {
  readonly id: string;
  readonly type: JobType;
  /** Absent before the first step. */
  readonly progress?: JobProgress;
  /** Mean of the epoch so far. */
  readonly loss?: number;
  /** The last one on disk: when it was there, by `Date.now()`, and how long its writing took. */
  readonly checkpoint?: { readonly savedAtMs: number; readonly seconds: number };
}

/** The queue of jobs, shared by all replicas on one database. */
export interface Jobs {
  /** Throws INVALID_JOB where type, data set or settings are not as expected; JOBS_UNAVAILABLE without the database. */
  create(request: JobRequest): Promise<Job>;
  /** Newest first. */
  list(): Promise<Job[]>;
  /** Throws NOT_FOUND. */
  get(id: string): Promise<Job>;
  /** Stops within seconds and keeps the checkpoint. Throws NOT_FOUND, and JOB_CONFLICT where it has ended. */
  cancel(id: string): Promise<Job>;
  /** Queues a cancelled or failed job again, from its checkpoint. Throws NOT_FOUND, JOB_CONFLICT. */
  resume(id: string): Promise<Job>;
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
