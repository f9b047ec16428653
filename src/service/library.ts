import { z } from 'zod';
import { parseReference } from '../ensembles/name-at-version.ts';
import { VerydeepError } from '../errors.ts';
import { ownImageLimits } from '../image/limits.ts';
import type { Detection, ImageResult } from '../inference/answer.ts';
import { untimed } from '../inference/lifetime.ts';
import { optionsOf, readImageOptions, type Task } from '../inference/options.ts';
import { readOptions } from '../options/read.ts';
import type { ValuesOf } from '../options/values.ts';
import { openFeatureExtractor, openInference } from './local-inference.ts';
import { ensemble, hosts, precision, weights } from './local-options.ts';

/** The package for other programs (docs/api.md). */

/** Of files that are the caller's own: only what cannot be a photograph is refused. */
const limits = {
  maxFileBytes: z
    .int()
    .min(1)
    .default(ownImageLimits.maxFileBytes)
    .describe('Largest file, in bytes; less for files of strangers.'),
  maxPixels: z
    .int()
    .min(1)
    .default(ownImageLimits.maxPixels)
    .describe('Largest image, width times height in pixels; less for files of strangers.'),
};
export const openOptions = z.strictObject({ ensemble, weights, ...hosts, precision, ...limits });
export const featureOptions = optionsOf.classify.pick({ scales: true, flip: true, networks: true });

/** Which ensemble, and what computes it; defaults are in docs/api.md, as they are of all options. */
export type OpenOptions = Partial<ValuesOf<typeof openOptions>>;
export type OpenFeaturesOptions = OpenOptions & Partial<ValuesOf<typeof featureOptions>>;

export interface CallOptions {
  /** When it is aborted, the call rejects with REQUEST_CANCELLED, and what is not computed yet is dropped. */
  readonly signal?: AbortSignal;
}
export type ClassifyOptions = CallOptions & Partial<ValuesOf<typeof optionsOf.classify>>;
export type LocaliseOptions = CallOptions & Partial<ValuesOf<typeof optionsOf.localise>>;

/** The most probable classes come first. Sizes are pixels of the image as displayed. */
export type Classification = Pick<ImageResult, 'width' | 'height' | 'classes' | 'maps'>;
export interface Localisation extends Pick<ImageResult, 'width' | 'height' | 'classes'> {
  readonly detections: readonly Detection[];
}

/** A version of an ensemble, as an answer of the service names it. */
export interface EnsembleInfo {
  readonly name: string;
  readonly version: string;
  /** `sha256:` and the hash of the manifest, which holds the hash of every file. */
  readonly digest: string;
}

/** An ensemble in engine processes of its own. Calls may overlap; their images share batches. */
export interface OpenEnsemble extends EnsembleInfo {
  /** Names of the classes, by their index. */
  readonly labels: readonly string[];
  /** Names of its networks, classifiers first. */
  readonly networks: readonly string[];
  /** What is on an image file (JPEG, PNG, WebP, AVIF, GIF, TIFF). Rejects with a `VerydeepError`. */
  classify(bytes: Uint8Array, options?: ClassifyOptions): Promise<Classification>;
  /** What is on an image file, and where. Rejects with a `VerydeepError`. */
  localise(bytes: Uint8Array, options?: LocaliseOptions): Promise<Localisation>;
  /** Waits for the answers under way and ends the processes; calls that come after reject with NOT_READY. */
  close(): Promise<void>;
}

/** Classification networks without their last layer, in engine processes of their own. */
export interface OpenFeatures extends EnsembleInfo {
  /** The networks, and how many features each gives. */
  readonly networks: readonly { readonly name: string; readonly fc: number }[];
  /** Smallest sides Q of the pictures that the features are averaged over. */
  readonly scales: readonly number[];
  /** Features of an image file by network, `[fc]`, of length one. Rejects with a `VerydeepError`. */
  extract(bytes: Uint8Array, options?: CallOptions): Promise<Map<string, Float32Array>>;
  /** Ends the processes; calls under way reject. */
  close(): Promise<void>;
}

/** Rejects with INVALID_OPTION, INVALID_WEIGHTS, INVALID_SETTINGS (devices, precision), DEVICE_UNAVAILABLE. */
export async function openEnsemble(options: OpenOptions = {}): Promise<OpenEnsemble> {
  const { ensemble, inference, dispose } = await openInference(
    placed(readOptions(openOptions, options, 'INVALID_OPTION')),
  );

  async function run(
    task: Task,
    bytes: Uint8Array,
    { signal, ...options }: CallOptions,
  ): Promise<ImageResult> {
    checkBytes(bytes);
    const answer = await inference.run(bytes, readImageOptions(task, options), untimed(caller, signal));
    return answer.result;
  }

  return {
    ...infoOf(ensemble),
    labels: ensemble.labels,
    networks: [...ensemble.classifiers, ...ensemble.localisers].map(({ name }) => name),
    classify: (bytes, options = {}) => run('classify', bytes, options),
    async localise(bytes, options = {}) {
      const { detections, ...result } = await run('localise', bytes, options);
      return { ...result, detections: detections! };
    },
    close: dispose,
  };
}

/** Rejects as {@link openEnsemble} does. */
export async function openFeatures(options: OpenFeaturesOptions = {}): Promise<OpenFeatures> {
  const group = openOptions.extend(featureOptions.shape);
  const { ensemble, networks, scales, extract, dispose } = await openFeatureExtractor(
    placed(readOptions(group, options, 'INVALID_OPTION')),
  );
  return {
    ...infoOf(ensemble),
    networks: networks.map(({ name, spec: { fc } }) => ({ name, fc })),
    scales,
    async extract(bytes, { signal } = {}) {
      checkBytes(bytes);
      return extract(bytes, untimed(caller, signal));
    },
    close: dispose,
  };
}

// --- helpers ---

const caller = 'program';

/** `demo@3` as name and version. */
function placed<Options extends z.output<typeof openOptions>>({ ensemble, ...options }: Options) {
  const { name, version } = parseReference(ensemble);
  return { ...options, ensemble: name, version, limits: options };
}

function infoOf({ name, version, digest }: EnsembleInfo): EnsembleInfo {
  return { name, version, digest };
}

/** A path in place of bytes is the usual mistake. */
function checkBytes(bytes: unknown): void {
  if (bytes instanceof Uint8Array) return;
  const received = bytes === null ? 'null' : typeof bytes === 'object' ? 'another object' : typeof bytes;
  throw new VerydeepError(
    'NO_IMAGE',
    `expected the bytes of an image file as a Uint8Array (a Buffer is one), received ${received}`,
  );
}
