import type { Job } from '../jobs/job.ts';
import type { TrainingEvent } from '../training/events.ts';

/** What every job's process gets to know of its service. */
export interface JobContext {
  /** Folder of ensembles: where jobs start from, and where they write to. */
  readonly weightsDir: string;
  /** Folder of data sets; jobs need it. */
  readonly datasetsDir?: string;
  readonly engine: 'auto' | 'onednn' | 'onnx';
  /** Most cores that a job may take, and whether only in time that nobody else wants or at low priority. */
  readonly threads: number;
  readonly idleOnly: boolean;
}

/** Images of an evaluation that are done, told like the steps of a training of one epoch. */
export interface EvaluationStep {
  readonly type: 'step';
  readonly epoch: 1;
  readonly step: number;
  readonly steps: number;
  readonly imagesPerSecond: number;
  readonly etaSeconds: number;
}

export type JobProcessEvent = TrainingEvent | EvaluationStep;

/** A job in its process; `Event` is what it tells of itself. */
export interface JobRunOptions<Event extends JobProcessEvent> {
  readonly job: Pick<Job, 'id' | 'type' | 'dataset' | 'ensemble' | 'settings'>;
  /** For checkpoints, and all that it must find again. */
  readonly folder: string;
  readonly context: JobContext;
  readonly signal: AbortSignal;
  readonly onEvent: (event: Event) => void;
}
