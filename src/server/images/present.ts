import type { Ensemble } from '../../ensembles/ensemble.ts';
import type { Detection, ImageResult, RankedClass, Timing } from '../../inference/answer.ts';
import type { AnswerBody, ImageResultBody, Model } from './schemas.ts';

/** Name of an image that came without one. */
export const unnamed = 'image';

/** An ensemble as answers name it; `networks` are those that answered, or all. */
export function presentModel(
  { name, version, digest, classifiers, localisers }: Ensemble,
  networks: readonly string[] = [...classifiers, ...localisers].map((network) => network.name),
): Model {
  return { ensemble: name, version, networks: [...networks], digest };
}

/** A result with as many digits as mean something: posteriors 6, pixels 2. */
export function presentResult(
  name: string,
  { width, height, classes, detections, maps }: ImageResult,
): ImageResultBody {
  return {
    name,
    width,
    height,
    classes: classes.map(presentClass),
    ...(detections && { detections: detections.map(presentDetection) }),
    ...(maps && {
      maps: maps.map(({ index, scale, height, width, values }) => ({
        index,
        scale,
        height,
        width,
        values: values.map((value) => round(value, 6)),
      })),
    }),
  };
}

/** The longest of each stage, of images that ran side by side. */
export function presentTiming(timings: readonly Timing[], totalMs: number): AnswerBody['timing'] {
  const longest = (stage: keyof Timing): number =>
    round(
      timings.reduce((most, timing) => Math.max(most, timing[stage]), 0),
      2,
    );
  return {
    decodeMs: longest('decodeMs'),
    queueMs: longest('queueMs'),
    inferenceMs: longest('inferenceMs'),
    totalMs: round(totalMs, 2),
  };
}

/** The value of a `Server-Timing` header. */
export function serverTiming({ decodeMs, queueMs, inferenceMs, totalMs }: AnswerBody['timing']): string {
  return `decode;dur=${decodeMs}, queue;dur=${queueMs}, inference;dur=${inferenceMs}, total;dur=${totalMs}`;
}

// --- helpers ---

function presentClass({ index, label, probability }: RankedClass): RankedClass {
  return { index, label, probability: round(probability, 6) };
}

function presentDetection(detection: Detection): Detection {
  const { score, windows, box } = detection;
  return {
    ...presentClass(detection),
    score: round(score, 4),
    windows,
    box: {
      x: round(box.x, 2),
      y: round(box.y, 2),
      width: round(box.width, 2),
      height: round(box.height, 2),
    },
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
