/** The networks of the paper's Table 1 as data: convolutions of each of the five stages. */

/** One convolution: channels before `width` is applied, and its kernel (3, or the 1 of network C). */
interface ConvolutionEntry {
  readonly channels: number;
  readonly kernel: 1 | 3;
}

const conv3 = (channels: number, count: number): ConvolutionEntry[] =>
  Array.from({ length: count }, () => ({ channels, kernel: 3 }));
const conv1 = (channels: number): ConvolutionEntry => ({ channels, kernel: 1 });

/** Paper, Table 1 (columns A, B, C, D, E). A 2x2 max-pool of stride 2 follows each stage. */
export const architectures = {
  A: [conv3(64, 1), conv3(128, 1), conv3(256, 2), conv3(512, 2), conv3(512, 2)],
  B: [conv3(64, 2), conv3(128, 2), conv3(256, 2), conv3(512, 2), conv3(512, 2)],
  C: [
    conv3(64, 2),
    conv3(128, 2),
    [...conv3(256, 2), conv1(256)],
    [...conv3(512, 2), conv1(512)],
    [...conv3(512, 2), conv1(512)],
  ],
  D: [conv3(64, 2), conv3(128, 2), conv3(256, 3), conv3(512, 3), conv3(512, 3)],
  E: [conv3(64, 2), conv3(128, 2), conv3(256, 4), conv3(512, 4), conv3(512, 4)],
} as const satisfies Record<string, readonly (readonly ConvolutionEntry[])[]>;

export type ArchitectureName = keyof typeof architectures;

export const architectureNames = Object.keys(architectures) as ArchitectureName[];

/** Each pool halves the picture, so five of them step by 32 pixels. */
export const poolStride = 32;

/**
 * What the last layer answers: class scores; one box shared by all classes (single-class regression, SCR);
 * or one box a class (per-class regression, PCR). Paper, appendix A.
 */
export const heads = ['classes', 'scr', 'pcr'] as const;
export type Head = (typeof heads)[number];

/** A network is a row of the table and the knobs that scale it. */
export interface NetworkSpec {
  readonly architecture: ArchitectureName;
  /** Channel multiplier of the convolutions; counts are rounded, and never less than one. */
  readonly width: number;
  /** Outputs of the first two fully connected layers (paper: 4096). */
  readonly fc: number;
  /** Number of classes (paper: 1000). */
  readonly classes: number;
  /** Side in pixels of the square that the net is trained on, a multiple of 32 (paper: 224). */
  readonly crop: number;
  readonly head: Head;
}

/**
 * A network as an engine runs it: as it was trained, or of head `features` without its last layer, answering the
 * activations of the second fully connected one (paper, appendix B).
 */
export type ForwardSpec = Omit<NetworkSpec, 'head'> & { readonly head: Head | 'features' };

export function isBoxHead(head: ForwardSpec['head']): boolean {
  return head === 'scr' || head === 'pcr';
}

/** Outputs of the last layer: `classes`, 4 (SCR), 4 x classes (PCR), or `fc` (features). */
export function outputsOf({ head, classes, fc }: Pick<ForwardSpec, 'classes' | 'fc' | 'head'>): number {
  return { classes, scr: 4, pcr: 4 * classes, features: fc }[head];
}
