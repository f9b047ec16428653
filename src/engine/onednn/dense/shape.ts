import type { ForwardSpec } from '../../../network/architecture.ts';
import { type ConvolutionLayer, layersOf, type PoolLayer } from '../../../network/layers.ts';

/** Sides of a picture or a map. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** Maps of one size in one pass. */
export interface MapShape extends Size {
  readonly count: number;
}

/** The layers that compute maps: all before the fully connected ones. */
export function mapLayersOf(spec: ForwardSpec): (ConvolutionLayer | PoolLayer)[] {
  return layersOf(spec).filter((layer) => layer.kind !== 'fullyConnected');
}

/**
 * The size at which a picture is computed: its sides filled up to the next multiple of 16 pixels, beyond 256 of 32, beyond
 * 512 of 64. So few programs serve pictures of all sizes, at a few per cent more work.
 */
export function paddedSize({ height, width }: Size): Size {
  const padded = (side: number): number => {
    const step = side <= 256 ? 16 : side <= 512 ? 32 : 64;
    return Math.ceil(side / step) * step;
  };
  return { height: padded(height), width: padded(width) };
}

/** Sizes of the maps that each of the layers gives, the picture's first: every pool halves them, rounded down. */
export function mapSizesOf(layers: readonly (ConvolutionLayer | PoolLayer)[], picture: Size): Size[] {
  const sizes = [picture];
  for (const { kind } of layers) {
    const { height, width } = sizes.at(-1)!;
    sizes.push(
      kind === 'pool' ? { height: Math.floor(height / 2), width: Math.floor(width / 2) } : { height, width },
    );
  }
  return sizes;
}

const maxSingleRows = 8;

/**
 * Rows of the matrix in which so many positions are computed: up to 8 as they are, beyond the next multiple of 8, so that
 * few programs serve all counts.
 */
export function paddedRows(positions: number): number {
  return positions <= maxSingleRows ? positions : Math.ceil(positions / maxSingleRows) * maxSingleRows;
}
