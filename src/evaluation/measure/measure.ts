import { meanOf } from '../../inference/average.ts';
import { highest, rankOf } from '../../network/ranking.ts';
import type { ClassificationPlan, EvaluationPlan } from '../comparisons.ts';
import { alignPosteriors, orderOf } from './align.ts';
import type { CheckedImage } from './images.ts';
import { measureCentralCrop, measureWholeImage } from './measure-boxes.ts';
import { findPass, type Pass, type PosteriorsAt, picturesOf } from './passes.ts';
import { posteriorsOf } from './posteriors.ts';
import { type ClassAnswer, guessCount, type ImageRecord } from './records.ts';
import type { ImageOutputs } from './run-passes.ts';

/** Makes of the outputs of all passes over one image what the rows of a plan need. */
export function measureImage(
  image: CheckedImage,
  outputs: ImageOutputs,
  plan: EvaluationPlan,
  passes: readonly Pass[],
): ImageRecord {
  const { width, height } = outputs;
  const known = new Map<string, Float32Array>();
  const posteriorsAt: PosteriorsAt = (network, kind, scale, flip) => {
    const key = JSON.stringify([network.name, kind, scale, flip]);
    const found = known.get(key);
    if (found) return found;
    const pass = findPass(passes, network, kind, scale);
    const output = outputs.of.get(pass)!.get(network.source.id)!;
    const { count } = picturesOf(pass, outputs);
    const posteriors = posteriorsOf(output, count, { ofPass: pass.flip, wanted: flip });
    known.set(key, posteriors);
    return posteriors;
  };
  return {
    name: image.sample.name,
    digest: image.digest,
    width,
    height,
    classification: plan.classification.map((row) => classAnswer(image.label, row, posteriorsAt)),
    localisation: image.sample.box
      ? plan.localisation.map((row) =>
          row.method === 'centralCrop'
            ? measureCentralCrop(image.label, row, outputs, passes)
            : measureWholeImage(image.label, row, outputs, passes, posteriorsAt),
        )
      : [],
  };
}

// --- helpers ---

function classAnswer(
  label: string,
  { members, flip, view }: ClassificationPlan,
  posteriorsAt: PosteriorsAt,
): ClassAnswer {
  const { labels } = members[0]!.network;
  const kinds = view === 'both' ? (['dense', 'crops'] as const) : [view];
  const posteriors = members.flatMap(({ network, scales }) => {
    const order = orderOf(network.labels, labels);
    return scales.flatMap((scale) =>
      kinds.map((kind) => alignPosteriors(posteriorsAt(network, kind, scale, flip), order)),
    );
  });
  const mean = meanOf(posteriors);
  return {
    rank: rankOf(mean, labels.indexOf(label)),
    top: highest(mean, guessCount).map((index) => [index, mean[index]!]),
  };
}
