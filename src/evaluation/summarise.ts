import type { PixelBox } from '../image/box.ts';
import type { ClassificationPlan, EvaluationPlan, LocalisationPlan } from './comparisons.ts';
import type {
  ClassificationRow,
  Evaluation,
  LocalisationExample,
  LocalisationRow,
  Mistake,
} from './evaluation.ts';
import type { CheckedImage } from './measure/images.ts';
import type { BoxAnswer, ClassAnswer, ImageRecord } from './measure/records.ts';
import { guessCount } from './measure/records.ts';
import {
  byLabel,
  classMetrics,
  classShares,
  isLocalised,
  isRightBox,
  type RankedImage,
  worstConfusions,
} from './metrics.ts';

/** An image, and what was found out about it. */
export interface MeasuredImage {
  readonly image: CheckedImage;
  readonly record: ImageRecord;
}

/** Classes, mistakes and boxes that a row shows. */
const shown = { confusions: 10, mistakes: 24, examples: 24 };

/** The rows of a plan from the records of all images, which were decoded. */
export function summarise(
  { classification, localisation, comparisons }: EvaluationPlan,
  measured: readonly MeasuredImage[],
): Pick<Evaluation, 'classification' | 'localisation' | 'comparisons'> {
  const withBox = measured.filter(({ image }) => image.sample.box !== undefined);
  return {
    classification: classification.map((plan, row) =>
      classificationRow(
        plan,
        measured.map(({ image, record }) => ({ image, answer: record.classification[row]! })),
      ),
    ),
    localisation: localisation.map((plan, row) =>
      localisationRow(
        plan,
        withBox.map(({ image, record }) => ({ image, answer: record.localisation[row]! })),
      ),
    ),
    comparisons,
  };
}

// --- helpers ---

interface Answered<Answer> {
  readonly image: CheckedImage;
  readonly answer: Answer;
}

function classificationRow(
  { members, flip, view }: ClassificationPlan,
  images: readonly Answered<ClassAnswer>[],
): ClassificationRow {
  const { labels } = members[0]!.network;
  const ranked = images.map(({ image, answer }): RankedImage => {
    return { label: image.label, rank: answer.rank, answer: labels[answer.top[0]![0]]! };
  });
  return {
    members: members.map(({ network, scales }) => ({ network: network.name, scales })),
    flip,
    view,
    ...classMetrics(ranked),
    perClass: classShares(ranked),
    confusions: worstConfusions(ranked, shown.confusions),
    mistakes: mistakes(images, labels),
  };
}

function mistakes(images: readonly Answered<ClassAnswer>[], labels: readonly string[]): Mistake[] {
  const confidence = ({ guesses }: Mistake): number => guesses[0]!.probability;
  return images
    .filter(({ answer }) => answer.rank > 0)
    .map(({ image, answer }): Mistake => {
      const { name, path } = image.sample;
      const guesses = answer.top.map(([index, probability]) => ({ label: labels[index]!, probability }));
      return { name, path, label: image.label, rank: answer.rank, guesses };
    })
    .sort((a, b) => confidence(b) - confidence(a))
    .slice(0, shown.mistakes);
}

function localisationRow(
  { method, localisers, classifiers, scales, flip }: LocalisationPlan,
  images: readonly Answered<BoxAnswer>[],
): LocalisationRow {
  const judged = images.map(({ image, answer }) => judge(image, answer, classifiers[0]?.labels));
  const error = (some: readonly JudgedImage[], measure: 'trueClass' | 'top1' | 'top5'): number =>
    some.filter((one) => !one[measure]).length / some.length;
  const whole = method === 'wholeImage';
  const measure = whole ? 'top5' : 'trueClass';
  return {
    method,
    localisers: localisers.map(({ name }) => name),
    classifiers: classifiers.map(({ name }) => name),
    scales,
    flip,
    images: judged.length,
    trueClassError: error(judged, 'trueClass'),
    ...(whole && { top1Error: error(judged, 'top1'), top5Error: error(judged, 'top5') }),
    perClass: [...byLabel(judged)].map(([label, own]) => ({
      label,
      images: own.length,
      error: error(own, measure),
    })),
    examples: examples(judged, measure),
  };
}

interface JudgedImage {
  readonly image: CheckedImage;
  readonly label: string;
  readonly truth: PixelBox;
  readonly guesses: LocalisationExample['guesses'];
  readonly trueClass: boolean;
  readonly top1: boolean;
  readonly top5: boolean;
}

function judge(image: CheckedImage, answer: BoxAnswer, labels: readonly string[] | undefined): JudgedImage {
  const { label } = image;
  const box = image.sample.box!;
  const guesses = answer.guesses.map((guess) => ({ ...guess, label: labels![guess.index]! }));
  const shownBox = answer.trueClass ? [{ label, probability: 1, box: answer.trueClass }] : [];
  return {
    image,
    label,
    truth: box,
    guesses: labels
      ? guesses.flatMap(({ label: guessed, probability, box: of }) =>
          of ? [{ label: guessed, probability, box: of }] : [],
        )
      : shownBox,
    trueClass: isRightBox(answer.trueClass, box),
    top1: isLocalised(guesses, { label, box }, 1),
    top5: isLocalised(guesses, { label, box }, guessCount),
  };
}

/** Half of them wrong ones if there are enough, spread evenly over the images. */
function examples(judged: readonly JudgedImage[], measure: 'trueClass' | 'top5'): LocalisationExample[] {
  const wrong = judged.filter((one) => !one[measure]);
  const right = judged.filter((one) => one[measure]);
  const some = spread(wrong, Math.max(shown.examples / 2, shown.examples - right.length));
  return [...some, ...spread(right, shown.examples - some.length)].map((one) => {
    const { sample, width, height } = one.image;
    const { label, truth, guesses } = one;
    return {
      name: sample.name,
      path: sample.path,
      width,
      height,
      label,
      truth,
      guesses,
      right: one[measure],
    };
  });
}

function spread<Item>(items: readonly Item[], count: number): Item[] {
  const wanted = Math.min(count, items.length);
  return Array.from({ length: wanted }, (_, i) => items[Math.floor((i * items.length) / wanted)]!);
}
