import { examplesOf, type Listing } from '../datasets/listing.ts';
import { VerydeepError } from '../errors.ts';
import type { Compared } from './compared.ts';
import type { SkippedImages } from './evaluation.ts';

/**
 * The images of classes that all compared classifiers know, so that all rows are measured on the same ones; without a
 * classifier those that all per-class box networks know. Throws INVALID_DATASET if there are none.
 */
export function knownImages(
  { labels, samples, notes }: Listing,
  { classifiers, localisers }: Compared,
): { readonly known: Listing; readonly unknownClasses: SkippedImages['unknownClasses'] } {
  const perClass = localisers.filter(({ source }) => source.spec.head === 'pcr');
  const networks = classifiers.length > 0 ? classifiers : perClass;
  const isKnown = labels.map((label) => networks.every((network) => network.labels.includes(label)));
  const known = samples.filter(({ label }) => isKnown[label]);
  if (known.length === 0) {
    const reasons = networks.map(({ name, labels: own }) => `${name} knows ${examplesOf(own)}`);
    throw new VerydeepError(
      'INVALID_DATASET',
      `expected images of classes that all compared networks know, received ${examplesOf(labels)}; ${reasons.join('; ')}`,
    );
  }
  const unknownClasses = labels.flatMap((label, i) => {
    const images = samples.filter((sample) => sample.label === i).length;
    return isKnown[i] || images === 0 ? [] : [{ label, images }];
  });
  return { known: { labels, samples: known, notes }, unknownClasses };
}
