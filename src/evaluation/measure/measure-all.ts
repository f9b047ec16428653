import pMap from 'p-map';
import type { Engine } from '../../engine/engine.ts';
import type { ImageLimits } from '../../image/limits.ts';
import type { EvaluationPlan } from '../comparisons.ts';
import { type CheckedImage, groupImages } from './images.ts';
import { measureImage } from './measure.ts';
import { type Pass, passesOf, scalesOf, workOf } from './passes.ts';
import type { ImageRecord } from './records.ts';
import type { ResultsFile } from './results-file.ts';
import { runPasses } from './run-passes.ts';

export interface MeasureAllOptions {
  readonly engine: Pick<Engine, 'run'>;
  /** How many batches the engine can run at a time. */
  readonly devices: number;
  readonly limits: ImageLimits;
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined;
  readonly signal: AbortSignal;
}

export interface EvaluationProgress {
  readonly images: number;
  /** Measured, those of an earlier run included. */
  readonly done: number;
  readonly imagesPerSecond: number;
  readonly etaSeconds: number;
}

/** Images that share a batch at most, and the floating-point operations of all passes over them. */
const groupBounds = { maxImages: 16, maxWork: 1e12 };

/**
 * Records of all images by name: those that are among the results already, and the others, which are measured and added to
 * the results. `undefined` if it was aborted.
 */
export async function measureAll(
  images: readonly CheckedImage[],
  plan: EvaluationPlan,
  results: ResultsFile,
  { engine, devices, limits, onProgress, signal }: MeasureAllOptions,
): Promise<ReadonlyMap<string, ImageRecord> | undefined> {
  const plain = passesOf(plan.classification, []);
  const boxed = passesOf(plan.classification, plan.localisation);
  const passesFor = ({ sample }: CheckedImage): readonly Pass[] => (sample.box ? boxed : plain);
  const groups = groupImages(images, scalesOf(boxed), {
    workOf: (image) => workOf(passesFor(image), image),
    ...groupBounds,
  });
  // A group that is not whole is run again as a whole: its batches are then those of a run that was not stopped.
  const isDone = (group: readonly CheckedImage[]): boolean =>
    group.every(({ sample, digest }) => results.records.get(sample.name)?.digest === digest);
  const records = new Map<string, ImageRecord>();
  for (const { sample } of groups.filter(isDone).flat()) {
    records.set(sample.name, results.records.get(sample.name)!);
  }
  const left = groups.filter((group) => !isDone(group));
  const tell = progressOf(images.length, records.size, onProgress);

  const measureGroup = async (group: readonly CheckedImage[]): Promise<void> => {
    const passes = passesFor(group[0]!);
    const outputs = await runPasses(engine, group, passes, limits);
    const added = group.map((image, i): ImageRecord => {
      const output = outputs[i]!;
      return typeof output === 'string'
        ? recordOfProblem(image, output)
        : measureImage(image, output, plan, passes);
    });
    results.append(added);
    for (const record of added) records.set(record.name, record);
    tell(records.size);
  };
  // One group more than the devices hold, so that pictures are decoded while networks run.
  const concurrency = 2 * devices + 1;
  await pMap(
    left,
    async (group) => {
      if (!signal.aborted) await measureGroup(group);
    },
    { concurrency },
  );
  return records.size === images.length ? records : undefined;
}

// --- helpers ---

function recordOfProblem({ sample, digest, width, height }: CheckedImage, problem: string): ImageRecord {
  return { name: sample.name, digest, width, height, problem, classification: [], localisation: [] };
}

function progressOf(
  images: number,
  before: number,
  onProgress: MeasureAllOptions['onProgress'],
): (done: number) => void {
  const startedMs = performance.now();
  return (done) => {
    const imagesPerSecond = ((done - before) * 1000) / (performance.now() - startedMs);
    onProgress?.({ images, done, imagesPerSecond, etaSeconds: (images - done) / imagesPerSecond });
  };
}
