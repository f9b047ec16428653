import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { examplesOf, type Listing } from '../datasets/listing.ts';
import { VerydeepError } from '../errors.ts';
import { writeDurably } from '../files/durable.ts';
import { invalidOption } from '../options/invalid-option.ts';
import type { Compared, ComparedNetwork } from './compared.ts';
import {
  classificationKey,
  type EvaluationPlan,
  localisationKey,
  type PlanOptions,
  planComparisons,
} from './comparisons.ts';
import type { Evaluation } from './evaluation.ts';
import { knownImages } from './known-images.ts';
import { type CheckedImage, checkImages } from './measure/images.ts';
import { type MeasureAllOptions, measureAll } from './measure/measure-all.ts';
import { openResultsFile, type ResultsFile } from './measure/results-file.ts';
import { type MeasuredImage, summarise } from './summarise.ts';

export interface EvaluateOptions extends PlanOptions, MeasureAllOptions {
  /** The engine has all compared networks loaded, under their names. */
  readonly compared: Compared;
  /** What is said of the engine. */
  readonly engineInfo: Evaluation['engine'];
  readonly data: { readonly folder: string; readonly split: string; readonly listing: Listing };
  /** Folder for the results: `images.jsonl` while it runs, from which it goes on, and `evaluation.json` at the end. */
  readonly out?: string | undefined;
}

const evaluationName = 'evaluation.json';

/**
 * Measures networks on a split: every network sees every picture of an image once, and all rows of all comparisons are
 * made of what it said. Returns `undefined` if it was aborted; the same call with the same `out` goes on, and ends in
 * the same numbers. Throws INVALID_DATASET if no image can be measured, INVALID_OPTION if there are no boxes or no
 * box network to localise, INVALID_SETTINGS where `out` holds other results.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation | undefined> {
  const { compared, data, limits, engineInfo, localise } = options;
  const { known, unknownClasses } = knownImages(data.listing, compared);
  if (localise) checkLocalisable(known, compared, data.folder);
  const plan = planComparisons(compared, options);
  // Box networks alone have nothing to say of images without a box.
  const samples =
    compared.classifiers.length > 0 ? known.samples : known.samples.filter(({ box }) => box !== undefined);
  const checked = await checkImages({ ...known, samples }, limits, options.signal);
  if (checked === undefined) return undefined;
  const { images, unreadable } = checked;

  const results =
    options.out === undefined ? noResults : await openResultsFile(options.out, headerOf(options, plan));
  const records = await measureAll(images, plan, results, options);
  if (records === undefined) return undefined;

  const measured: MeasuredImage[] = images.map((image) => ({
    image,
    record: records.get(image.sample.name)!,
  }));
  const decoded = measured.filter(({ record }) => record.problem === undefined);
  const problems = measured.flatMap(({ record: { name, problem } }) =>
    problem === undefined ? [] : [{ name, reason: problem }],
  );
  const skipped = { unknownClasses, unreadable: [...unreadable, ...problems] };
  if (decoded.length === 0) {
    const examples = examplesOf(skipped.unreadable.map(({ name, reason }) => `${name}: ${reason}`));
    throw new VerydeepError('INVALID_DATASET', `expected images that can be read, received ${examples}`);
  }
  const evaluation: Evaluation = {
    format: 1,
    data: { folder: data.folder, split: data.split, ...dataFacts(decoded.map(({ image }) => image)) },
    engine: engineInfo,
    networks: [...compared.classifiers, ...(localise ? compared.localisers : [])].map(({ info }) => info),
    ...summarise(plan, decoded),
    skipped,
  };
  if (options.out !== undefined) {
    await writeDurably(join(options.out, evaluationName), `${JSON.stringify(evaluation, null, 2)}\n`);
  }
  return evaluation;
}

// --- helpers ---

function checkLocalisable({ samples }: Listing, { localisers }: Compared, folder: string): void {
  if (localisers.length === 0) {
    throw invalidOption('--localise', 'a box network (head scr or pcr)', 'none');
  }
  if (samples.some(({ box }) => box !== undefined)) return;
  throw invalidOption(
    '--localise',
    "images with boxes (metadata.jsonl in the split's folder)",
    `${folder} with none of known classes`,
  );
}

const noResults: ResultsFile = { records: new Map(), append: () => undefined };

/** Everything that decides the results of an image, but for the image. */
function headerOf({ engineInfo }: EvaluateOptions, plan: EvaluationPlan): { format: 1; plan: string } {
  const networks = new Set<ComparedNetwork>();
  for (const { members } of plan.classification) for (const { network } of members) networks.add(network);
  for (const { classifiers, localisers } of plan.localisation) {
    for (const network of [...classifiers, ...localisers]) networks.add(network);
  }
  const content = JSON.stringify([
    [...networks].map(({ name, info }) => [name, info.source.digest]),
    plan.classification.map(classificationKey),
    plan.localisation.map(localisationKey),
    engineInfo,
  ]);
  return { format: 1, plan: `sha256:${createHash('sha256').update(content).digest('hex')}` };
}

/** What identifies the images that were measured, and how many there are. */
function dataFacts(
  images: readonly CheckedImage[],
): Pick<Evaluation['data'], 'digest' | 'images' | 'boxes' | 'classes'> {
  const hash = createHash('sha256');
  for (const { sample, digest } of images) hash.update(`${JSON.stringify([sample.name, digest])}\n`);
  return {
    digest: `sha256:${hash.digest('hex')}`,
    images: images.length,
    boxes: images.filter(({ sample }) => sample.box !== undefined).length,
    classes: new Set(images.map(({ label }) => label)).size,
  };
}
