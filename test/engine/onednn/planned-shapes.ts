import type { ForwardSpec } from '../../../src/network/architecture.ts';

type Size = readonly [height: number, width: number];

const fullSize = { width: 1, fc: 4096, classes: 1000, crop: 224 } as const;
const fullSizes: Size[] = [
  [224, 224],
  [224, 300],
  [256, 341],
  [341, 256],
  [384, 512],
  [512, 683],
];
const demo = { fc: 512, classes: 101, crop: 128 } as const;
const demoSizes: Size[] = [
  [128, 128],
  [128, 171],
  [171, 128],
  [176, 235],
  [224, 299],
];

/** Networks of full size and of the demo's, of each width and head, with the sizes of pictures that a plan gives them. */
export const plannedShapes: readonly { readonly spec: ForwardSpec; readonly sizes: readonly Size[] }[] = [
  ...(['classes', 'scr', 'pcr', 'features'] as const).map((head) => ({
    spec: { architecture: 'D', head, ...fullSize } as const,
    sizes: fullSizes,
  })),
  ...(['A', 'B', 'C', 'E'] as const).map((architecture) => ({
    spec: { architecture, head: 'classes', ...fullSize } as const,
    sizes: fullSizes.slice(0, 3),
  })),
  ...[1 / 8, 1 / 4, 1 / 2].flatMap((width) =>
    (['classes', 'scr', 'pcr'] as const).map((head) => ({
      spec: { architecture: 'D', head, ...demo, width } as const,
      sizes: demoSizes,
    })),
  ),
];
