import type { Decoders } from '../decoding/decoders.ts';
import type { Engine, NetworkSource } from '../engine/engine.ts';
import type { EnsembleNetwork } from '../ensembles/ensemble.ts';
import { rescaledSize, type Size } from '../image/rescale.ts';
import { forwardFlops } from '../network/measures.ts';
import type { RequestContext } from './inference.ts';
import { unlessAborted, withLifetime } from './lifetime.ts';
import type { Reservation } from './scheduling/admission.ts';
import type { Scheduler } from './scheduling/scheduler.ts';

/** Classification networks without their last layer (paper, appendix B), called by their names in the ensemble. */
export function featureSources(networks: readonly EnsembleNetwork[]): NetworkSource[] {
  return networks.map(({ name, spec, preprocessing, path }) => ({
    id: name,
    spec: { ...spec, head: 'features' },
    preprocessing,
    weights: { path },
  }));
}

export interface FeatureExtractorOptions {
  /** Has the {@link featureSources} of `networks` loaded. */
  readonly engine: Pick<Engine, 'run'>;
  readonly scheduler: Scheduler;
  readonly networks: readonly Pick<EnsembleNetwork, 'name' | 'spec'>[];
  readonly decoders: Decoders;
  /** Smallest sides Q in pixels. */
  readonly scales: readonly number[];
  readonly flip: boolean;
}

/**
 * Features of one image by network, `[fc]`: activations of the second fully connected layer averaged over locations,
 * picture and mirror image, then over the scales, then L2-normalised (paper, appendix B, which also tries stacking the
 * scales). Throws the coded errors of an image, those of the scheduler, and those of the engine.
 */
export type FeatureExtractor = (
  bytes: Uint8Array,
  context: Omit<RequestContext, 'onPartial'>,
) => Promise<Map<string, Float32Array>>;

export function createFeatureExtractor({
  engine,
  scheduler,
  networks,
  decoders,
  scales,
  flip,
}: FeatureExtractorOptions): FeatureExtractor {
  const names = networks.map(({ name }) => name);

  /** Floating-point operations at one scale. */
  function workOf(image: Size, scale: number): number {
    const { width, height } = rescaledSize(image.width, image.height, scale);
    const flops = networks.reduce((sum, { spec }) => sum + forwardFlops(spec, height, width), 0);
    return flops * (flip ? 2 : 1);
  }

  async function extract(
    bytes: Uint8Array,
    { client, deadline, signal }: Parameters<FeatureExtractor>[1],
  ): Promise<Map<string, Float32Array>> {
    let reservation: Reservation | undefined;
    try {
      const decoding = decoders.use(bytes, { client, signal }, async ({ header, decode }) => {
        const works = scales.map((scale) => workOf(header, scale));
        reservation = scheduler.admit({ work: works.reduce((a, b) => a + b, 0), deadline });
        return { works, reservation, pictures: (await decode(scales)).pictures };
      });
      const { works, pictures, ...admitted } = await unlessAborted(decoding, signal);
      const answers = await Promise.all(
        pictures.map((picture, k) => {
          const batch = { networks: names, ...picture, count: 1, flip, maps: false };
          return scheduler.run({ client, engine, ...batch, work: works[k]! }, admitted.reservation, signal);
        }),
      );
      return new Map(
        names.map((name) => [
          name,
          normalisedMean(answers.map(({ outputs }) => outputs.get(name)!.features!)),
        ]),
      );
    } finally {
      reservation?.release();
    }
  }

  return (bytes, context) => withLifetime(context, (signal) => extract(bytes, { ...context, signal }));
}

// --- helpers ---

/** Of length one, or all zeros where every activation is. */
function normalisedMean(vectors: readonly Float32Array[]): Float32Array {
  const sums = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (const [i, value] of vector.entries()) sums[i]! += value;
  const norm = Math.hypot(...sums);
  return Float32Array.from(sums, (sum) => (norm > 0 ? sum / norm : 0));
}
