import type { View } from '../inference/inference.ts';

/** One pass over an image: the posteriors of one network, at one scale, with or without the mirror image. */
export interface Pass {
  readonly network: string;
  /** Smallest side Q in pixels. */
  readonly scale: number;
  readonly flip: boolean;
  readonly view: View;
}

/** A row of the table: the mean of the posteriors of its passes. */
export interface Row {
  readonly networks: readonly string[];
  readonly scales: readonly number[];
  readonly flip: boolean;
  readonly passes: readonly Pass[];
}

/**
 * The paper's comparisons (4.1, 4.2, 4.5): each network at the middle scale, each at all scales, and all networks
 * together. Rows share their passes, each of which is run once.
 */
export function tableRows(
  networks: readonly string[],
  scales: readonly number[],
  flip: boolean,
  view: View,
): Row[] {
  const row = (names: readonly string[], at: readonly number[], mirrored: boolean): Row => ({
    networks: names,
    scales: at,
    flip: mirrored,
    passes: names.flatMap((network) => at.map((scale) => ({ network, scale, flip: mirrored, view }))),
  });
  const middle = scales[Math.floor(scales.length / 2)]!;
  const rows = [
    ...networks.map((network) => row([network], [middle], false)),
    ...networks.map((network) => row([network], scales, flip)),
    row(networks, scales, flip),
  ];
  return rows.filter((one, i) => rows.findIndex((other) => sameRow(one, other)) === i);
}

export function passKey({ network, scale, flip, view }: Pass): string {
  return `${network} ${scale} ${flip} ${view}`;
}

function sameRow(a: Row, b: Row): boolean {
  return a.passes.map(passKey).join() === b.passes.map(passKey).join();
}
