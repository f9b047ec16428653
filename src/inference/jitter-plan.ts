import type { Ensemble, EnsembleNetwork } from '../ensembles/ensemble.ts';
import { VerydeepError } from '../errors.ts';
import { rescaledSize, type Size } from '../image/rescale.ts';
import type { Head } from '../network/architecture.ts';
import { forwardFlops } from '../network/measures.ts';
import type { InferenceOptions, PlanSummary } from './inference.ts';
import { networkId } from './network-sources.ts';

/** Most test scales of one request. */
export const maxScales = 8;
/** Largest test scale in crops: 672 for networks of crop 224; the paper's own test scales end at 512. */
export const maxScaleInCrops = 3;
/** Most classes whose boxes are asked for: merging them is work on the serving thread. */
export const maxLocalisedClasses = 20;
/** Crops of multi-crop evaluation at each scale: a 5 x 5 grid (paper, 3.2). */
export const gridCount = 25;

/** A network of a task by its id in the engine. */
export interface PlannedNetwork {
  readonly id: string;
  readonly head: Head;
}

/** One picture, or one grid of crops, for the engine. */
export interface PlanTask {
  readonly view: 'dense' | 'crops';
  readonly networks: readonly PlannedNetwork[];
  /** Pictures, and the size of each in pixels. */
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly flip: boolean;
  /** Also answer the score maps of the classification networks. */
  readonly maps: boolean;
  /** Floating-point operations of all its forward passes. */
  readonly work: number;
}

/** What is done at one scale Q. */
export interface ScalePlan extends Size {
  readonly scale: number;
  readonly tasks: readonly PlanTask[];
}

/** The jitter plan of one image (paper, 3.2). */
export interface Plan {
  readonly scales: readonly ScalePlan[];
  /** Of all tasks together. */
  readonly work: number;
  readonly summary: PlanSummary;
}

/** Options that were checked against an ensemble, with its own choices filled in. */
export interface ChosenOptions extends Omit<InferenceOptions, 'networks'> {
  readonly scales: readonly number[];
  readonly classifiers: readonly EnsembleNetwork[];
  /** None to classify. */
  readonly localisers: readonly EnsembleNetwork[];
}

/** Plans an image of the given displayed size. */
export function planImage(ensemble: Ensemble, options: ChosenOptions, image: Size): Plan {
  const { flip, view } = options;
  const maps = options.maps || options.task === 'localise';
  const { crop } = ensemble;
  const networks = [...options.classifiers, ...options.localisers];

  const task = (view: 'dense' | 'crops', count: number, { width, height }: Size): PlanTask => {
    const flops = networks.reduce((sum, { spec }) => sum + forwardFlops(spec, height, width), 0);
    return {
      view,
      networks: networks.map((network) => ({ id: networkId(ensemble, network), head: network.spec.head })),
      count,
      height,
      width,
      flip,
      maps: maps && view === 'dense',
      work: flops * count * (flip ? 2 : 1),
    };
  };

  const scales = options.scales.map((scale) => {
    const size = rescaledSize(image.width, image.height, scale);
    const tasks = [
      ...(view === 'crops' ? [] : [task('dense', 1, size)]),
      ...(view === 'dense' ? [] : [task('crops', gridCount, { width: crop, height: crop })]),
    ];
    return { scale, ...size, tasks };
  });
  return {
    scales,
    work: scales.flatMap(({ tasks }) => tasks).reduce((sum, { work }) => sum + work, 0),
    summary: { scales: options.scales, flip, view, networks: networks.map(({ name }) => name) },
  };
}

/** Checks what does not depend on the image, and fills in the ensemble's own choices. Throws INVALID_OPTION. */
export function chooseOptions(ensemble: Ensemble, { networks, ...options }: InferenceOptions): ChosenOptions {
  const { task, top, view, maps, scales = ensemble.scales } = options;
  if (!Number.isInteger(top) || top < 1) throw invalid('top', 'an integer of at least 1', top);
  if (task === 'localise') {
    if (ensemble.localisers.length === 0) {
      throw new VerydeepError('INVALID_OPTION', `ensemble ${ensemble.name} has no localisation network`);
    }
    if (top > maxLocalisedClasses) throw invalid('top', `at most ${maxLocalisedClasses} to localise`, top);
    if (view !== 'dense') throw invalid('view', 'dense to localise', view);
    if (maps) throw invalid('maps', 'false to localise', maps);
  } else if (maps && view === 'crops') {
    throw invalid('view', 'dense or both where maps are asked for', view);
  }
  checkScales(ensemble, scales);
  return {
    ...options,
    scales,
    classifiers: chooseClassifiers(ensemble, networks),
    localisers: task === 'localise' ? ensemble.localisers : [],
  };
}

// --- helpers ---

function checkScales(ensemble: Ensemble, scales: readonly number[]): void {
  const max = Math.max(maxScaleInCrops * ensemble.crop, ...ensemble.scales);
  if (scales.length < 1 || scales.length > maxScales) {
    throw invalid('scales', `1 to ${maxScales} of them`, scales.length);
  }
  for (const [i, scale] of scales.entries()) {
    if (!Number.isInteger(scale) || scale < ensemble.crop || scale > max) {
      throw invalid('scales', `integers from ${ensemble.crop} (the crop) to ${max}`, scale);
    }
    if (scales.indexOf(scale) < i) throw invalid('scales', 'different ones', `${scale} twice`);
  }
}

function chooseClassifiers(
  { classifiers }: Ensemble,
  names: readonly string[] | undefined,
): readonly EnsembleNetwork[] {
  if (names === undefined) return classifiers;
  const known = classifiers.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (names.length === 0 || unknown !== undefined) {
    throw invalid('networks', `some of ${known.join(', ')}`, unknown ?? 'none');
  }
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw invalid('networks', 'different ones', `${twice} twice`);
  // In the ensemble's order, so that the same choice makes the same batches.
  return classifiers.filter(({ name }) => names.includes(name));
}

function invalid(option: string, expected: string, received: unknown): VerydeepError {
  return new VerydeepError('INVALID_OPTION', `${option}: expected ${expected}; received ${String(received)}`);
}
