import type { ValidationResult } from './validate.ts';

/** What a training tells while it runs; also the lines of its log. */
export type TrainingEvent =
  /** Reading and checking of the data set. */
  | { readonly type: 'loading'; readonly done: number; readonly total: number }
  | {
      readonly type: 'dataset';
      readonly classes: number;
      readonly train: number;
      readonly validation: number;
      readonly skipped: readonly string[];
      readonly digest: string;
    }
  /** The first step follows. `engine` is what runs the steps, `epoch` and `step` where they start. */
  | {
      readonly type: 'start';
      readonly engine: string;
      readonly parameters: number;
      readonly epochs: number;
      readonly epoch: number;
      readonly step: number;
    }
  /** After each step (counted from 1 in the epoch). `loss` is the mean of the epoch so far. */
  | {
      readonly type: 'step';
      readonly epoch: number;
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      readonly rate: number;
      readonly imagesPerSecond: number;
      readonly etaSeconds: number;
    }
  /** After each epoch; `trainingLoss` is with dropout and augmentation. */
  | ({
      readonly type: 'epoch';
      readonly epoch: number;
      readonly rate: number;
      readonly trainingLoss: number;
      /** The best so far. */
      readonly best: boolean;
    } & ValidationResult)
  /** A checkpoint is safely on disk. */
  | {
      readonly type: 'checkpoint';
      readonly epoch: number;
      readonly step: number;
      /** What two runs are compared by (checkpoint.ts). */
      readonly digest: string;
      /** How long its writing took. */
      readonly seconds: number;
    }
  | { readonly type: 'interrupted'; readonly epoch: number; readonly step: number }
  /** The best network has been written. `checkpoint` is the last one's digest. */
  | ({ readonly type: 'done'; readonly epoch: number; readonly checkpoint: string } & ValidationResult);

export type OnTrainingEvent = (event: TrainingEvent) => void;
