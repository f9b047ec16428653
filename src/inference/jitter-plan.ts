import type { Ensemble, EnsembleNetwork } from '../ensembles/ensemble.ts';
import { rescaledSize, type Size } from '../image/rescale.ts';
import type { Head } from '../network/architecture.ts';
import { forwardFlops } from '../network/measures.ts';
import { invalidOption } from '../options/invalid-option.ts';
import type { PlanSummary } from './answer.ts';
import { networkId } from './network-sources.ts';
import { checkNetworks, checkScales, type InferenceOptions } from './options.ts';

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
  const { task, view, maps, scales = ensemble.scales } = options;
  if (task === 'localise' && ensemble.localisers.length === 0) {
    throw invalidOption('task', `classify, as ${ensemble.name} has no localisation network`, task);
  }
  if (maps && view === 'crops') throw invalidOption('view', 'dense or both when maps are asked for', view);
  checkScales('scales', scales, ensemble);
  return {
    ...options,
    scales,
    classifiers: chooseClassifiers(ensemble, networks),
    localisers: task === 'localise' ? ensemble.localisers : [],
  };
}

// --- helpers ---

function chooseClassifiers(
  { classifiers }: Ensemble,
  names: readonly string[] | undefined,
): readonly EnsembleNetwork[] {
  if (names === undefined) return classifiers;
  checkNetworks(
    'networks',
    names,
    classifiers.map(({ name }) => name),
  );
  // In the ensemble's order, so that the same choice makes the same batches.
  return classifiers.filter(({ name }) => names.includes(name));
}
