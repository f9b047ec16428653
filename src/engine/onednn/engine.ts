import { type ForwardSpec, isBoxHead, outputsOf } from '../../network/architecture.ts';
import { scoreMapSize } from '../../network/measures.ts';
import { checkBatch } from '../check-batch.ts';
import type { Batch, Engine, EngineOptions, NetworkOutput } from '../engine.ts';
import { weightsOf } from '../network-weights.ts';
import { featuresOf, posteriorsOf, toPlanes } from './dense/answers.ts';
import { createMapProgram, type MapProgram } from './dense/map-program.ts';
import { createDenseRun, type DensePrograms, type RunDense } from './dense/network.ts';
import { createPositionProgram, type PositionProgram } from './dense/position-program.ts';
import { createProgramCache } from './dense/program-cache.ts';
import { createDenseWeights, type DenseWeights } from './dense/weights.ts';
import { loadOnednn } from './library/library.ts';
import { dataTypeFor } from './precision.ts';
import { buildIn, createScope, type Scope } from './primitives/scope.ts';
import { createSharedBlock } from './primitives/shared-block.ts';

export type OnednnEngineOptions = Pick<EngineOptions, 'threads' | 'precision' | 'libraryPath'>;

/** Programs of all networks that are kept for shapes seen before, of maps and of positions each. */
const maxPrograms = 512;

interface Loaded {
  readonly spec: ForwardSpec;
  readonly scope: Scope;
  readonly weights: DenseWeights;
  readonly run: RunDense;
}

/**
 * The forward engine on the CPU with oneDNN's primitives. `run` blocks this process. Throws DEVICE_UNAVAILABLE where the
 * library or the precision is not there.
 */
export async function createOnednnEngine({
  threads,
  precision,
  libraryPath,
}: OnednnEngineOptions): Promise<Engine> {
  const onednn = await loadOnednn({ libraryPath });
  const type = dataTypeFor(onednn, precision);
  const loaded = new Map<string, Loaded>();
  const [mapBlock, positionBlock] = [createSharedBlock(onednn), createSharedBlock(onednn)];
  const mapPrograms = createProgramCache<MapProgram>(mapBlock, maxPrograms);
  const positionPrograms = createProgramCache<PositionProgram>(positionBlock, maxPrograms);

  const programsOf = (id: string, { spec, weights }: Loaded): DensePrograms => ({
    maps: (shape) =>
      mapPrograms.get(`${keyOf(id)}${shape.count}x${shape.height}x${shape.width}`, () =>
        createMapProgram(onednn, mapBlock, spec, weights, shape, type),
      ),
    positions: (count) =>
      positionPrograms.get(`${keyOf(id)}${count}`, () =>
        createPositionProgram(onednn, positionBlock, spec, weights, count, type),
      ),
  });
  const unload = (id: string): void => {
    const network = loaded.get(id);
    loaded.delete(id);
    mapPrograms.drop(keyOf(id));
    positionPrograms.drop(keyOf(id));
    network?.scope.dispose();
    onednn.trim();
  };

  return {
    capabilities: { engine: 'onednn', device: 'cpu', threads },
    async load(source) {
      const { id, spec, preprocessing } = source;
      const tensors = weightsOf(source);
      onednn.setThreads(threads);
      const scope = createScope(onednn);
      const weights = buildIn(scope, () => createDenseWeights(scope, spec, preprocessing, tensors, type));
      unload(id);
      onednn.trim();
      loaded.set(id, { spec, scope, weights, run: createDenseRun(spec, preprocessing, type) });
    },
    async run(batch) {
      checkBatch(batch, loaded);
      onednn.setThreads(threads);
      return new Map(
        batch.networks.map((id) => {
          const network = loaded.get(id)!;
          return [id, outputOf(network.spec, batch, network.run(batch, batch.flip, programsOf(id, network)))];
        }),
      );
    },
    async unload(id) {
      unload(id);
    },
    async dispose() {
      for (const id of [...loaded.keys()]) unload(id);
    },
  };
}

// --- helpers ---

/** What the keys of a network's programs start with. */
function keyOf(id: string): string {
  return `${id}\n`;
}

/** What the interface promises, of the answers `[views x count, h', w', outputs]`. */
function outputOf(spec: ForwardSpec, batch: Batch, answers: Float32Array): NetworkOutput {
  const { count, height, width, maps } = batch;
  const sizes = { views: batch.flip ? 2 : 1, count, outputs: outputsOf(spec) };
  if (spec.head === 'features') return { features: featuresOf(answers, sizes) };
  const [mapHeight, mapWidth] = scoreMapSize(spec, height, width);
  return {
    ...(spec.head === 'classes' && { posteriors: posteriorsOf(answers, sizes) }),
    ...((maps || isBoxHead(spec.head)) && {
      maps: {
        data: toPlanes(answers, sizes.outputs, mapHeight * mapWidth),
        shape: [sizes.views, count, sizes.outputs, mapHeight, mapWidth],
      },
    }),
  };
}
