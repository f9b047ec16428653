import { readListing } from '../datasets/read-listing.ts';
import type { EngineChoice } from '../engine/engines.ts';
import { startHosts } from '../engine/hosts/start.ts';
import type { Precision } from '../engine/precision.ts';
import { ownImageLimits } from '../image/limits.ts';
import { type ComparedOptions, readCompared } from './compared.ts';
import { evaluate } from './evaluate.ts';
import type { Evaluation } from './evaluation.ts';
import type { EvaluationProgress } from './measure/measure-all.ts';
import type { EvaluationSettings } from './settings.ts';

/** An evaluation as a command or a job asks for it. */
export interface EvaluationOptions
  extends EvaluationSettings,
    Pick<ComparedOptions, 'weights' | 'ensembles' | 'runs'> {
  /** Folder of the data set. */
  readonly data: string;
  readonly engine: EngineChoice;
  /** `cpu`, `cuda:0,cuda:1`, ... */
  readonly devices: string;
  /** Of the cpu; 0 for as many as there are. */
  readonly threads: number;
  readonly precision: Precision;
  /** Path of the native library of an engine that takes one (oneDNN); searched for when omitted. */
  readonly libraryPath?: string | undefined;
  /** Folder for results: a stopped evaluation goes on from there. */
  readonly out?: string | undefined;
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads data set and networks, starts the engine and measures. Returns `undefined` when it was aborted. Throws
 * INVALID_DATASET, INVALID_WEIGHTS, INVALID_OPTION, INVALID_SETTINGS, DEVICE_UNAVAILABLE, ENGINE_FAILED, ENGINE_LOST.
 */
export async function runEvaluation(options: EvaluationOptions): Promise<Evaluation | undefined> {
  const compared = await readCompared(options);
  // Box networks of run folders are measured in any case.
  const localise = options.localise || compared.localisers.some(({ info }) => info.source.kind === 'run');
  const listing = await readListing(options.data, options.split, { boxes: localise });
  const engine = await startHosts({ ...options, outputs: ['maps'] });
  try {
    const networks = [...compared.classifiers, ...(localise ? compared.localisers : [])];
    for (const { source } of networks) await engine.load(source);
    const { engine: name, device } = engine.capabilities;
    return await evaluate({
      ...options,
      views: [...new Set(options.view)],
      localise,
      engine,
      engineInfo: { engine: name, device, precision: options.precision },
      devices: engine.hosts().length,
      compared,
      data: { folder: options.data, split: options.split, listing },
      limits: ownImageLimits,
    });
  } finally {
    await engine.dispose();
  }
}

/** The figures of all networks of an evaluation together, at all scales. */
export interface EvaluationMetrics {
  readonly images: number;
  /** Shares of the images whose class comes first, or is among the first five; and the mean of the classes' own. */
  readonly top1: number;
  readonly top5: number;
  readonly meanPerClass: number;
  /** ILSVRC's, where boxes were measured. */
  readonly localisationTop5Error?: number;
}

/** What a job returns. `undefined` if only box networks were compared, and none with classes. */
export function metricsOf({ data, classification, localisation }: Evaluation): EvaluationMetrics | undefined {
  const row = largest(classification, ({ members, flip }) => {
    return members.reduce((sum, { scales }) => sum + scales.length, 0) * (flip ? 2 : 1);
  });
  if (row === undefined) return undefined;
  const { top1, top5, meanPerClass } = row;
  const boxes = largest(
    localisation.filter(({ method }) => method === 'wholeImage'),
    ({ localisers, scales }) => localisers.length * scales.length,
  );
  return {
    images: data.images,
    top1,
    top5,
    meanPerClass,
    ...(boxes && { localisationTop5Error: boxes.top5Error! }),
  };
}

// --- helpers ---

function largest<Row>(rows: readonly Row[], sizeOf: (row: Row) => number): Row | undefined {
  return rows.reduce<Row | undefined>(
    (best, row) => (best !== undefined && sizeOf(best) >= sizeOf(row) ? best : row),
    undefined,
  );
}
