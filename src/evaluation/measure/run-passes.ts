import { readFile } from 'node:fs/promises';
import type { Engine, NetworkOutput } from '../../engine/engine.ts';
import { gridCrops } from '../../image/crop-grid.ts';
import { type DecodedImage, decodeAtScales } from '../../image/decode.ts';
import type { ImageLimits } from '../../image/limits.ts';
import { centralCropAt, crop as cropOf, type Picture } from '../../image/picture.ts';
import { unreadableReason } from '../../image/unreadable.ts';
import { joinPixels, sliceOutputs } from '../../inference/scheduling/batch.ts';
import type { CheckedImage } from './images.ts';
import { type Pass, picturesOf, scalesOf } from './passes.ts';

/** What the networks of each pass said of one image. */
export interface ImageOutputs {
  /** As displayed, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly of: ReadonlyMap<Pass, ReadonlyMap<string, NetworkOutput>>;
}

/**
 * Runs all passes over images of one shape, each pass as one batch. Returns the outputs of each image, or the reason why
 * it could not be decoded. Throws ENGINE_FAILED, ENGINE_LOST.
 */
export async function runPasses(
  engine: Pick<Engine, 'run'>,
  images: readonly CheckedImage[],
  passes: readonly Pass[],
  limits: ImageLimits,
): Promise<(ImageOutputs | string)[]> {
  const scales = scalesOf(passes);
  const decoded = await Promise.all(images.map((image) => decode(image, scales, limits)));
  const readable = decoded.filter((image): image is DecodedImage => typeof image !== 'string');
  const outputs = readable.map(() => new Map<Pass, ReadonlyMap<string, NetworkOutput>>());
  if (readable.length > 0) {
    await Promise.all(
      passes.map(async (pass) => {
        const answers = await runPass(engine, readable, pass, scales.indexOf(pass.scale));
        for (const [i, answer] of answers.entries()) outputs[i]!.set(pass, answer);
      }),
    );
  }
  const answered = outputs.map((of, i) => {
    const { width, height } = readable[i]!;
    return { width, height, of };
  });
  return decoded.map((image) => (typeof image === 'string' ? image : answered.shift()!));
}

// --- helpers ---

async function decode(
  { sample }: CheckedImage,
  scales: readonly number[],
  limits: ImageLimits,
): Promise<DecodedImage | string> {
  try {
    return await decodeAtScales(await readFile(sample.path), scales, limits);
  } catch (error) {
    return unreadableReason(error);
  }
}

async function runPass(
  engine: Pick<Engine, 'run'>,
  images: readonly DecodedImage[],
  pass: Pass,
  scaleIndex: number,
): Promise<Map<string, NetworkOutput>[]> {
  const { width, height, count } = picturesOf(pass, images[0]!);
  const pictures = images.flatMap((image) => viewsOf(image.pictures[scaleIndex]!, pass));
  const { flip, maps, networks } = pass;
  const outputs = await engine.run({
    networks: networks.map(({ source }) => source.id),
    pixels: joinPixels(pictures.map(({ pixels }) => pixels)),
    count: pictures.length,
    width,
    height,
    flip,
    maps,
  });
  return images.map((_, i) => sliceOutputs(outputs, i * count, count, pictures.length));
}

function viewsOf(picture: Picture, { kind, crop = 0 }: Pass): Picture[] {
  if (kind === 'dense') return [picture];
  if (kind === 'crops') return gridCrops(picture, crop);
  const { x, y } = centralCropAt(picture, crop);
  return [cropOf(picture, x, y, crop, crop)];
}
