import { readFile } from 'node:fs/promises';
import type { Ensemble } from '../ensembles/ensemble.ts';
import { VerydeepError } from '../errors.ts';
import type { Inference, InferenceOptions } from '../inference/inference.ts';
import { type Listing, type Sample, some } from '../training/image-folder.ts';
import { rankOf } from '../training/validate.ts';
import { type ClassMetrics, classMetrics, isLocalised, type RankedImage } from './metrics.ts';
import { type Pass, passKey, type Row } from './rows.ts';

export interface EvaluationOptions {
  readonly inference: Inference;
  readonly ensemble: Ensemble;
  /** The split to measure on; classes that the ensemble does not know are left out. */
  readonly listing: Listing;
  readonly rows: readonly Row[];
  /** Also measure localisation, on the images that have a box; with the scales and networks of this inference. */
  readonly localise?: Pick<InferenceOptions, 'scales' | 'networks' | 'flip'>;
  /** Images in work at a time. */
  readonly concurrency: number;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Evaluation {
  readonly images: number;
  /** Images left out, each with the reason. */
  readonly skipped: readonly string[];
  readonly rows: readonly (Omit<Row, 'passes'> & ClassMetrics)[];
  readonly localisation?: LocalisationMetrics;
}

export interface LocalisationMetrics {
  /** Images with a box. */
  readonly images: number;
  /** Share of them of which five guesses are wrong, in class or in box: ILSVRC's top-5 localisation error. */
  readonly top5Error: number;
}

/** Measures an ensemble on a split. Throws INVALID_DATASET where it knows none of the images' classes. */
export async function evaluate(options: EvaluationOptions): Promise<Evaluation> {
  const { inference, ensemble, listing, rows, localise, concurrency } = options;
  const samples = listing.samples.map((sample) => ({
    ...sample,
    label: ensemble.labels.indexOf(listing.labels[sample.label]!),
  }));
  const known = samples.filter(({ label }) => label >= 0);
  if (known.length === 0) {
    throw new VerydeepError(
      'INVALID_DATASET',
      `expected images of classes that ${ensemble.name} knows, received ${some(listing.labels)}`,
    );
  }
  const passes = new Map(rows.flatMap((row) => row.passes).map((pass) => [passKey(pass), pass]));
  const skipped = samples
    .filter(({ label }) => label < 0)
    .map(({ name }) => `${name}: a class that ${ensemble.name} does not know`);
  const ranked: RankedImage[][] = rows.map(() => []);
  const localised: boolean[] = [];

  const measure = async (sample: Sample): Promise<void> => {
    const bytes = await readFile(sample.path);
    const posteriors = new Map<string, Float32Array>();
    for (const [key, pass] of passes)
      posteriors.set(key, await posteriorsOf(inference, ensemble, bytes, pass));
    const right = localise && sample.box && (await isRight(inference, bytes, sample, localise));
    rows.forEach((row, i) => {
      const mean = meanOf(row.passes.map((pass) => posteriors.get(passKey(pass))!));
      ranked[i]!.push({ label: sample.label, rank: rankOf(mean, sample.label) });
    });
    if (right !== undefined) localised.push(right);
  };
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < known.length) {
      const sample = known[next++]!;
      await measure(sample).catch((error: unknown) => {
        if (!isUnreadable(error)) throw error;
        skipped.push(`${sample.name}: ${error.message}`);
      });
      options.onProgress?.(++done, known.length);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));

  const wrong = localised.filter((right) => !right).length;
  return {
    images: ranked[0]!.length,
    skipped,
    rows: rows.map(({ passes: _, ...row }, i) => ({ ...row, ...classMetrics(ranked[i]!) })),
    ...(localised.length > 0 && {
      localisation: { images: localised.length, top5Error: wrong / localised.length },
    }),
  };
}

const patient = { signal: new AbortController().signal, deadline: Number.POSITIVE_INFINITY };

async function posteriorsOf(
  inference: Inference,
  ensemble: Ensemble,
  bytes: Uint8Array,
  { network, scale, flip, view }: Pass,
): Promise<Float32Array> {
  const top = ensemble.labels.length;
  const { result } = await inference.run(
    bytes,
    { task: 'classify', top, scales: [scale], flip, view, networks: [network], maps: false, boxes: 'best' },
    patient,
  );
  const posteriors = new Float32Array(top);
  for (const { index, probability } of result.classes) posteriors[index] = probability;
  return posteriors;
}

/** Top-5 localisation of one image, as `verydeep localise` answers it. */
async function isRight(
  inference: Inference,
  bytes: Uint8Array,
  sample: Sample,
  options: NonNullable<EvaluationOptions['localise']>,
): Promise<boolean> {
  const { result } = await inference.run(
    bytes,
    { task: 'localise', top: 5, view: 'dense', maps: false, boxes: 'best', ...options },
    patient,
  );
  const guesses = result.detections!.map(({ index, box }) => {
    return { label: index, box: [box.x, box.y, box.width, box.height] as const };
  });
  return isLocalised(guesses, { label: sample.label, box: sample.box! });
}

function meanOf(posteriors: readonly Float32Array[]): Float32Array {
  return posteriors[0]!.map((_, i) => posteriors.reduce((sum, one) => sum + one[i]!, 0) / posteriors.length);
}

/** Errors of one image rather than of the whole evaluation. */
function isUnreadable(error: unknown): error is VerydeepError {
  const codes = ['NO_IMAGE', 'FILE_TOO_LARGE', 'TOO_MANY_PIXELS', 'UNSUPPORTED_IMAGE', 'CORRUPT_IMAGE'];
  return error instanceof VerydeepError && codes.includes(error.code);
}
