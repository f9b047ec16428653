import { isBoxHead } from '../../network/architecture.ts';
import { layersOf } from '../../network/layers.ts';
import { copyOfWeights, countOf, type Weights } from '../../network/weights.ts';
import { checkBatch } from '../check-batch.ts';
import type { Batch, Engine, NetworkOutput, NetworkSource, OutputMaps } from '../engine.ts';
import { weightsOf } from '../network-weights.ts';
import { convolve, type FeatureMap, maxPool, mirror, prepare, relu, softmax, sumPool } from './layers.ts';

interface Loaded extends Omit<NetworkSource, 'weights'> {
  readonly weights: Weights;
}

/**
 * The engine to read beside the paper, and the oracle of the others: loops over pictures, one layer after the other,
 * in float32 with sums in float64. Right for tiny networks; far too slow for large ones.
 */
export function createReferenceEngine(): Engine {
  const loaded = new Map<string, Loaded>();
  return {
    capabilities: { engine: 'reference', device: 'cpu', threads: 1 },
    async load(source) {
      loaded.set(source.id, { ...source, weights: copyOfWeights(weightsOf(source)) });
    },
    async run(batch) {
      checkBatch(batch, loaded);
      return new Map(batch.networks.map((id) => [id, runNetwork(loaded.get(id)!, batch)]));
    },
    async unload(id) {
      loaded.delete(id);
    },
    async dispose() {
      loaded.clear();
    },
  };
}

// --- helpers ---

/** Score, box or feature map of one prepared picture in the dense view (paper, 3.2). */
function denseNet({ spec, weights }: Pick<Loaded, 'spec' | 'weights'>, picture: FeatureMap): FeatureMap {
  let map = picture;
  for (const layer of layersOf(spec)) {
    if (layer.kind === 'pool') {
      map = maxPool(map);
      continue;
    }
    const { name, kernel } = layer;
    const padding = layer.kind === 'convolution' ? (kernel - 1) / 2 : 0;
    map = convolve(map, weights.get(`${name}.weight`)!, weights.get(`${name}.bias`)!, { kernel, padding });
    if (layer.kind === 'convolution' || layer.hidden) map = relu(map);
  }
  return map;
}

function runNetwork(network: Loaded, batch: Batch): NetworkOutput {
  const { count, height, width, pixels, flip } = batch;
  const bytes = height * width * 3;
  const pictures = Array.from({ length: count }, (_, n) =>
    prepare(pixels.subarray(n * bytes, (n + 1) * bytes), height, width, network.preprocessing),
  );
  const views = flip ? [pictures, pictures.map(mirror)] : [pictures];
  const maps = views.map((view) => view.map((picture) => denseNet(network, picture)));
  const { head } = network.spec;
  if (head === 'features') return { features: featuresOf(maps) };
  return {
    ...(head === 'classes' && { posteriors: posteriorsOf(maps) }),
    ...((batch.maps || isBoxHead(head)) && { maps: outputMapsOf(maps) }),
  };
}

/** Sum-pooling and softmax of each view's score map, then the mean over the views. */
function posteriorsOf(views: readonly (readonly FeatureMap[])[]): Float32Array {
  return meanOfViews(views, (map) => softmax(sumPool(map)));
}

/** The mean over positions and views (paper, appendix B). */
function featuresOf(views: readonly (readonly FeatureMap[])[]): Float32Array {
  return meanOfViews(views, sumPool);
}

/** `[count, values]`: the values of each picture's maps, averaged over its views. */
function meanOfViews(
  views: readonly (readonly FeatureMap[])[],
  valuesOf: (map: FeatureMap) => number[],
): Float32Array {
  const [first] = views;
  const means = first!.flatMap((_, n) => {
    const ofViews = views.map((maps) => valuesOf(maps[n]!));
    return ofViews[0]!.map((_, c) => ofViews.reduce((sum, view) => sum + view[c]!, 0) / views.length);
  });
  return Float32Array.from(means);
}

function outputMapsOf(views: readonly (readonly FeatureMap[])[]): OutputMaps {
  const { channels, height, width } = views[0]![0]!;
  const shape = [views.length, views[0]!.length, channels, height, width] as const;
  const data = new Float32Array(countOf(shape));
  views.flat().forEach((map, i) => {
    data.set(map.data, i * map.data.length);
  });
  return { data, shape };
}
