import type { ClassificationRow, EvaluatedNetwork, Evaluation, LocalisationRow } from './evaluation.ts';

/** The row with the fewest errors; `undefined` if only box networks were compared. */
export function bestRow({ classification }: Evaluation): ClassificationRow | undefined {
  return highest(classification, ({ top1 }) => top1);
}

/** The row with the fewest wrong boxes, of whole pictures if there are such rows. */
export function bestBoxRow({ localisation }: Evaluation): LocalisationRow | undefined {
  const whole = localisation.filter(({ method }) => method === 'wholeImage');
  return highest(whole.length > 0 ? whole : localisation, (row) => -(row.top5Error ?? row.trueClassError));
}

/** `d + e` */
export function namesOf({ members }: ClassificationRow): string {
  return members.map(({ network }) => network).join(' + ');
}

/** `d + e, Q 128,160,192, dense` */
export function describeRow(row: ClassificationRow): string {
  const scales = new Set(row.members.map((member) => member.scales.join(',')));
  return `${namesOf(row)}, Q ${[...scales].join(' / ')}, ${row.view}${row.flip ? '' : ', no mirror image'}`;
}

export function infoOf({ networks }: Evaluation, name: string): EvaluatedNetwork {
  return networks.find((network) => network.name === name)!;
}

/** `160`, or `128-192`. */
export function trainingScaleOf({ trainingScale: { min, max } }: EvaluatedNetwork): string {
  return min === max ? `${min}` : `${min}-${max}`;
}

// --- helpers ---

/** The first one where several are equal. */
function highest<Row>(rows: readonly Row[], measure: (row: Row) => number): Row | undefined {
  return rows.reduce<Row | undefined>(
    (best, row) => (best !== undefined && measure(best) >= measure(row) ? best : row),
    undefined,
  );
}
