import type { ClassificationRow, Evaluation, LocalisationRow } from '../../src/evaluation/evaluation.ts';
import type { RowName } from './tables.ts';

/** Share of images that a row gets right: top-1, or for box networks the central crop's box of the true class. */
export function accuracyOf(evaluation: Evaluation, name: RowName): number {
  const boxes = evaluation.localisation.find(isCentralCropOf(name));
  return boxes ? 1 - boxes.trueClassError : classificationRow(evaluation, name).top1;
}

/** Throws where the evaluation has no such row. */
export function classificationRow(evaluation: Evaluation, name: RowName): ClassificationRow {
  const row = evaluation.classification.find(isClassificationOf(name));
  if (row === undefined) throw new Error(`no row ${describe(name)} in the evaluation`);
  return row;
}

/** `d30 + e30, all scales, crops` */
export function describe({ networks, scales, view }: RowName): string {
  return [
    networks.join(' + '),
    `${scales === 'one' ? 'one scale' : 'all scales'}`,
    ...(view ? [view] : []),
  ].join(', ');
}

// --- helpers ---

const same = (a: readonly string[], b: readonly string[]): boolean =>
  [...a].sort().join() === [...b].sort().join();

function isClassificationOf({ networks, scales, view = 'dense' }: RowName) {
  return (row: ClassificationRow): boolean =>
    row.flip &&
    row.view === view &&
    same(
      row.members.map(({ network }) => network),
      networks,
    ) &&
    row.members.every((member) => member.scales.length > 1 === (scales === 'all'));
}

function isCentralCropOf({ networks }: RowName) {
  return ({ method, localisers }: LocalisationRow): boolean =>
    method === 'centralCrop' && same(localisers, networks);
}
