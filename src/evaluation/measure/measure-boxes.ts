import { pixelBoxOf } from '../../image/box.ts';
import { centralCropAt } from '../../image/picture.ts';
import { rescaledSize } from '../../image/rescale.ts';
import type { RankedClass } from '../../inference/answer.ts';
import { meanOf } from '../../inference/average.ts';
import { localise } from '../../inference/localise.ts';
import type { BoxMaps, ScaleOutputs } from '../../inference/scale-outputs.ts';
import { boxAt, windowPosteriors } from '../../inference/windows.ts';
import { highest } from '../../network/ranking.ts';
import type { ComparedNetwork } from '../compared.ts';
import type { LocalisationPlan } from '../comparisons.ts';
import { alignMaps, alignPosteriors, orderOf } from './align.ts';
import { findPass, type Pass, type PosteriorsAt } from './passes.ts';
import { type BoxAnswer, guessCount } from './records.ts';
import type { ImageOutputs } from './run-passes.ts';

/** The box of the true class that a network predicts from the central crop (paper, appendix A, Table 8). */
export function measureCentralCrop(
  label: string,
  { localisers, scales }: LocalisationPlan,
  image: ImageOutputs,
  passes: readonly Pass[],
): BoxAnswer {
  const [network, scale] = [localisers[0]!, scales[0]!];
  const { crop } = network.source.spec;
  const { maps } = image.of.get(findPass(passes, network, 'centre', scale))!.get(network.source.id)!;
  const channel = channelOf(network, network.labels.indexOf(label));
  const picture = rescaledSize(image.width, image.height, scale);
  if (channel < 0) return { trueClass: null, guesses: [] };
  // The only window of the crop, as if the crop were the image; then moved to where the crop lies.
  const box = boxAt(maps!, channel, [0, 0, 0], crop, {
    width: crop,
    height: crop,
    image: { width: crop, height: crop },
  });
  if (box === undefined) return { trueClass: null, guesses: [] };
  const { x, y } = centralCropAt(picture, crop);
  const [toImageX, toImageY] = [image.width / picture.width, image.height / picture.height];
  return {
    trueClass: [(x + box.x) * toImageX, (y + box.y) * toImageY, box.width * toImageX, box.height * toImageY],
    guesses: [],
  };
}

/** Merged boxes of the first five classes and of the true one, as the service answers them (paper, appendix A). */
export function measureWholeImage(
  label: string,
  { classifiers, localisers, scales, flip }: LocalisationPlan,
  image: ImageOutputs,
  passes: readonly Pass[],
  posteriorsAt: PosteriorsAt,
): BoxAnswer {
  const { labels, source } = classifiers[0]!;
  const options = { crop: source.spec.crop, image, boxes: 'best' as const };
  const perScale = scales.map((scale): ScaleOutputs => {
    const mapsOf = (network: ComparedNetwork, perClass: 1 | 4, order: readonly number[] | undefined) => {
      const outputs = image.of.get(findPass(passes, network, 'dense', scale))!;
      return alignMaps(outputs.get(network.source.id)!.maps!, order, perClass);
    };
    const scores = classifiers.map((network) => mapsOf(network, 1, orderOf(network.labels, labels)));
    const boxes = localisers.map((network): BoxMaps => {
      const head = network.source.spec.head as BoxMaps['head'];
      const order = head === 'pcr' ? orderOf(network.labels, labels) : undefined;
      return { head, maps: mapsOf(network, 4, order) };
    });
    const size = rescaledSize(image.width, image.height, scale);
    return { scale, ...size, posteriors: [], windows: windowPosteriors(scores), boxes };
  });
  const mean = meanOf(
    classifiers.flatMap((network) =>
      scales.map((scale) =>
        alignPosteriors(posteriorsAt(network, 'dense', scale, flip), orderOf(network.labels, labels)),
      ),
    ),
  );
  const ranked = (index: number): RankedClass => ({
    index,
    label: labels[index]!,
    probability: mean[index]!,
  });
  const first = highest(mean, guessCount);
  const truth = labels.indexOf(label);
  const boxes = new Map(
    localise(perScale, [...new Set([...first, truth])].map(ranked), options).map(({ index, box }) => [
      index,
      pixelBoxOf(box),
    ]),
  );
  return {
    trueClass: boxes.get(truth) ?? null,
    guesses: first.map((index) => ({ index, probability: mean[index]!, box: boxes.get(index) ?? null })),
  };
}

// --- helpers ---

/** First channel of the box of a class; -1 where the network has none for it. */
function channelOf({ source }: ComparedNetwork, index: number): number {
  if (source.spec.head === 'scr') return 0;
  return index < 0 ? -1 : 4 * index;
}
