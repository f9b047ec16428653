import type { ClassMap, RankedClass } from './answer.ts';
import { meanOf, rankClasses } from './average.ts';
import type { ScaleOutputs } from './scale-outputs.ts';

/** The top classes by the mean posterior over scales, networks and views; flips are averaged in the networks' graphs. */
export function classify(
  scales: readonly ScaleOutputs[],
  labels: readonly string[],
  top: number,
): RankedClass[] {
  return rankClasses(meanOf(scales.flatMap(({ posteriors }) => posteriors)), labels, top);
}

/** Posteriors of the classes at every window of the picture (not of its mirror image, whose windows lie elsewhere). */
export function classMaps(scales: readonly ScaleOutputs[], classes: readonly RankedClass[]): ClassMap[] {
  return scales.flatMap(({ scale, windows }) =>
    windows
      ? classes.map(({ index }) => ({
          index,
          scale,
          height: windows.height,
          width: windows.width,
          values: [...windows.of(index, 0)],
        }))
      : [],
  );
}
