import { type ForwardSpec, outputsOf } from '../../../network/architecture.ts';
import { layersOf, weightLayersOf } from '../../../network/layers.ts';
import { scoreMapSize } from '../../../network/measures.ts';
import type { Preprocessing } from '../../../network/preprocessing.ts';
import { bytesOf, type DataType } from '../library/constants.ts';
import { createPreparation, type Pictures } from '../pixels.ts';
import { gatherWindows } from './gather.ts';
import type { MapProgram } from './map-program.ts';
import type { PositionProgram } from './position-program.ts';
import { type MapShape, paddedRows, paddedSize } from './shape.ts';

/** Programs of one network, made when they are asked for. */
export interface DensePrograms {
  maps(shape: MapShape): MapProgram;
  positions(count: number): PositionProgram;
}

/** Pictures of one pass through the convolutions: their largest map stays under this size. */
const maxMapBytes = 2 ** 26;
/** Positions of one pass through the fully connected layers: enough to read the weights once for many. */
const maxPositions = 256;

/** Runs pictures, then, with `flip`, their mirror images. Returns the answers `[views x count, h', w', outputs]`. */
export type RunDense = (pictures: Pictures, flip: boolean, programs: DensePrograms) => Float32Array;

export function createDenseRun(spec: ForwardSpec, preprocessing: Preprocessing, type: DataType): RunDense {
  const preparation = createPreparation(preprocessing, type);
  const first = layersOf(spec).find((layer) => layer.kind === 'fullyConnected')!;
  const bytesPerPixel = weightLayersOf(spec)[0]!.outputs * bytesOf[type];
  const outputs = outputsOf(spec);

  return (pictures, flip, programs) => {
    const { count, height, width } = pictures;
    const total = flip ? 2 * count : count;
    const [mapHeight, mapWidth] = scoreMapSize(spec, height, width);
    const positions = mapHeight * mapWidth;
    const padded = paddedSize(pictures);
    const perPass = Math.floor(maxMapBytes / (padded.height * padded.width * bytesPerPixel));
    const answers = new Float32Array(total * positions * outputs);

    for (const { start, end } of evenParts(total, Math.floor(maxPositions / positions))) {
      const classifier = programs.positions(paddedRows((end - start) * positions));
      const matrix = classifier.open();
      for (let done = start; done < end; ) {
        const pass = powerOfTwo(Math.min(end - done, perPass));
        const shape = { ...padded, count: pass };
        programs.maps(shape).run(
          pictures,
          (input) => {
            for (let i = 0; i < pass; i++) {
              const picture = done + i;
              const mirror = picture >= count;
              preparation.prepare(pictures, input, { from: picture % count, to: i, mirror, into: padded });
            }
          },
          (maps, size, mapShape) =>
            gatherWindows(maps, mapShape, size, first, matrix, (done - start) * positions),
        );
        done += pass;
      }
      classifier.run((rows) => {
        const numbers = (end - start) * positions * outputs;
        answers.set(rows.subarray(0, numbers), start * positions * outputs);
      });
    }
    return answers;
  };
}

// --- helpers ---

/** Parts of nearly equal length, each of `most` at most, or of one. */
function evenParts(total: number, most: number): { readonly start: number; readonly end: number }[] {
  const parts = Math.ceil(total / Math.max(1, most));
  return Array.from({ length: parts }, (_, i) => ({
    start: Math.floor((total * i) / parts),
    end: Math.floor((total * (i + 1)) / parts),
  }));
}

/** The largest power of two up to `limit`, at least 1: so few counts, and programs, serve all batches. */
function powerOfTwo(limit: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(limit)));
}
