import { type ForwardSpec, isBoxHead, outputsOf } from '../../network/architecture.ts';
import { weightLayersOf } from '../../network/layers.ts';
import { scoreMapSize } from '../../network/measures.ts';
import { checkBatch } from '../check-batch.ts';
import type { Batch, Engine, EngineOptions, NetworkOutput } from '../engine.ts';
import { weightsOf } from '../network-weights.ts';
import { featuresOf, posteriorsOf, toPlanes } from './dense/answers.ts';
import { createDenseProgram, type DenseProgram } from './dense/program.ts';
import { createProgramCache } from './dense/program-cache.ts';
import { createDenseWeights, type DenseWeights } from './dense/weights.ts';
import { bytesOf, type DataType } from './library/constants.ts';
import { loadOnednn } from './library/library.ts';
import { createPreparation, type Preparation } from './pixels.ts';
import { dataTypeFor } from './precision.ts';
import { createScope, type Scope } from './primitives/scope.ts';
import { createSharedBlock } from './primitives/shared-block.ts';

export type OnednnEngineOptions = Pick<EngineOptions, 'threads' | 'precision' | 'libraryPath'>;

/** Programs that are kept for shapes seen before. */
const maxPrograms = 64;
/** Pictures of one pass: as many as keep the largest map under this size, so that memory does not grow with the batch. */
const maxMapBytes = 2 ** 27;

interface Loaded {
  readonly spec: ForwardSpec;
  readonly scope: Scope;
  readonly weights: DenseWeights;
  readonly preparation: Preparation;
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
  const block = createSharedBlock(onednn);
  const programs = createProgramCache(maxPrograms, () => block.shrinkTo(programs.blockBytes));

  const unload = (id: string): void => {
    const network = loaded.get(id);
    loaded.delete(id);
    programs.drop(keyOf(id));
    network?.scope.dispose();
  };

  return {
    capabilities: { engine: 'onednn', device: 'cpu', threads },
    async load(source) {
      const { id, spec, preprocessing } = source;
      const tensors = weightsOf(source);
      onednn.setThreads(threads);
      const scope = createScope(onednn);
      let weights: DenseWeights;
      try {
        weights = createDenseWeights(scope, spec, preprocessing, tensors, type);
      } catch (error) {
        scope.dispose();
        throw error;
      }
      unload(id);
      loaded.set(id, { spec, scope, weights, preparation: createPreparation(preprocessing, type) });
    },
    async run(batch) {
      checkBatch(batch, loaded);
      onednn.setThreads(threads);
      return new Map(
        batch.networks.map((id) => {
          const network = loaded.get(id)!;
          const program = (count: number): DenseProgram =>
            programs.get(`${keyOf(id)}${count}x${batch.height}x${batch.width}`, () =>
              createDenseProgram(onednn, block, network.spec, network.weights, { ...batch, count }, type),
            );
          return [id, runNetwork(network, batch, type, program)];
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

function runNetwork(
  { spec, preparation }: Loaded,
  batch: Batch,
  type: DataType,
  programFor: (count: number) => DenseProgram,
): NetworkOutput {
  const { count, height, width, flip, maps } = batch;
  const views = flip ? 2 : 1;
  const outputs = outputsOf(spec);
  const [mapHeight, mapWidth] = scoreMapSize(spec, height, width);
  const perPicture = mapHeight * mapWidth * outputs;
  // [views x count, h', w', outputs]
  const answers = new Float32Array(views * count * perPicture);
  for (const { start, end } of passesOf(views * count, largestMapBytes(spec, height, width, type))) {
    programFor(end - start).run(
      (input) => {
        for (let i = start; i < end; i++) {
          preparation.prepare(batch, input, { from: i % count, to: i - start, mirror: i >= count });
        }
      },
      (output) => answers.set(output, start * perPicture),
    );
  }
  const sizes = { views, count, outputs };
  if (spec.head === 'features') return { features: featuresOf(answers, sizes) };
  return {
    ...(spec.head === 'classes' && { posteriors: posteriorsOf(answers, sizes) }),
    ...((maps || isBoxHead(spec.head)) && {
      maps: {
        data: toPlanes(answers, outputs, mapHeight * mapWidth),
        shape: [views, count, outputs, mapHeight, mapWidth],
      },
    }),
  };
}

function largestMapBytes(spec: ForwardSpec, height: number, width: number, type: DataType): number {
  return weightLayersOf(spec)[0]!.outputs * height * width * bytesOf[type];
}

/** Splits `total` pictures into passes of nearly equal length. */
function passesOf(total: number, bytesEach: number): { start: number; end: number }[] {
  const passes = Math.ceil(total / Math.max(1, Math.floor(maxMapBytes / bytesEach)));
  return Array.from({ length: passes }, (_, i) => ({
    start: Math.floor((total * i) / passes),
    end: Math.floor((total * (i + 1)) / passes),
  }));
}
