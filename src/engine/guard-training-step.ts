import { VerydeepError } from '../errors.ts';
import { isBoxHead } from '../network/architecture.ts';
import { mapWeights, partsOf, typeOf, type WeightSources } from '../network/weights.ts';
import type { FlatGradient, TrainingBatch, TrainingStep, TrainingStepOptions } from './training-step.ts';

type Shape = Pick<TrainingStepOptions, 'spec' | 'microBatch'>;

/**
 * What every training step refuses, with ENGINE_FAILED: a batch of another size than it was made for, labels that are no
 * class, calls after its disposal, and reading of its tensors once they may be others. A second disposal does nothing.
 */
export function guardTrainingStep<Step extends TrainingStep & { readonly gradient?: FlatGradient }>(
  step: Step,
  { spec, microBatch }: Shape,
): Step {
  let disposal: Promise<void> | undefined;
  /** Counts what changes tensors. */
  let changes = 0;
  const enter = (): void => {
    if (disposal) throw failed('training step: expected no call after its disposal');
  };
  const entered =
    <Arguments extends unknown[], Result>(call: (...values: Arguments) => Promise<Result>) =>
    async (...values: Arguments): Promise<Result> => {
      enter();
      return call(...values);
    };
  const changing = <Arguments extends unknown[], Result>(call: (...values: Arguments) => Promise<Result>) =>
    entered((...values: Arguments) => {
      changes += 1;
      return call(...values);
    });
  const reading = <Arguments extends unknown[]>(call: (...values: Arguments) => Promise<WeightSources>) =>
    entered(async (...values: Arguments) => {
      const tensors = await call(...values);
      const at = changes;
      return mapWeights(tensors, (tensor) => ({
        shape: tensor.shape,
        type: typeOf(tensor),
        *parts() {
          enter();
          if (changes !== at)
            throw failed('training step: expected its tensors to be read before its next call');
          yield* partsOf(tensor);
        },
      }));
    });
  const { gradient } = step;
  return {
    ...step,
    accumulate: changing((batch: TrainingBatch, share: number) => {
      checkTrainingBatch(batch, { spec, microBatch });
      return step.accumulate(batch, share);
    }),
    update: changing(step.update),
    readWeights: reading(step.readWeights),
    readVelocity: reading(step.readVelocity),
    readGradient: reading(step.readGradient),
    ...(gradient && {
      gradient: {
        length: gradient.length,
        read(to: Float32Array) {
          enter();
          gradient.read(to);
        },
        write(from: Float32Array, start: number) {
          enter();
          gradient.write(from, start);
        },
      },
    }),
    dispose() {
      disposal ??= step.dispose();
      return disposal;
    },
  };
}

// --- helpers ---

/** A wrong size would write past the end of native memory, or be trained together with the rest of the batch before. */
function checkTrainingBatch(batch: TrainingBatch, { spec, microBatch }: Shape): void {
  const { crop, fc, classes, head } = spec;
  const expect = (name: string, values: ArrayLike<number> | undefined, ...shape: number[]): void => {
    const count = shape.reduce((a, b) => a * b, microBatch);
    if (values?.length === count) return;
    const dimensions = [microBatch, ...shape].join(', ');
    throw failed(
      `${name}: expected ${count} numbers for [${dimensions}], received ${values?.length ?? 'none'}`,
    );
  };
  expect('pixels', batch.pixels, crop, crop, 3);
  expect('colourShift', batch.colourShift, 3);
  expect('labels', batch.labels);
  for (const [i, mask] of batch.dropout.entries()) expect(`dropout[${i}]`, mask, fc);
  if (isBoxHead(head)) expect('boxes', batch.boxes, 4);
  const wrong = batch.labels.find((label) => !(label >= 0 && label < classes));
  if (wrong !== undefined) throw failed(`labels: expected 0 to ${classes - 1}, received ${wrong}`);
}

function failed(message: string): VerydeepError {
  return new VerydeepError('ENGINE_FAILED', message);
}
