import type { Detection, RankedClass } from './answer.ts';
import { type Candidate, mergeBoxes } from './merge.ts';
import type { InferenceOptions } from './options.ts';
import type { ScaleOutputs } from './scale-outputs.ts';
import { boxAt, clip } from './windows.ts';

/**
 * Boxes of one class that are merged: those whose windows have the highest posterior. All pairs are compared, and that on
 * the serving thread.
 */
const maxCandidates = 128;

export interface LocaliseOptions {
  /** Side of the networks' crop in pixels. */
  readonly crop: number;
  /** The image as displayed, in pixels. */
  readonly image: { readonly width: number; readonly height: number };
  /** The best merged box of each class, or all of them. */
  readonly boxes: InferenceOptions['boxes'];
}

/**
 * Boxes of the given classes (paper, appendix A). Each localisation network predicts one at every window of every scale
 * and view; those of one class are merged, and the posteriors of their windows, mean over the classification
 * networks, added up. In order of the classes, then by falling score; clipped to the image, and left out if nothing
 * of them lies in it.
 */
export function localise(
  scales: readonly ScaleOutputs[],
  classes: readonly RankedClass[],
  options: LocaliseOptions,
): Detection[] {
  return classes.flatMap((ranked) => {
    const candidates = scales
      .flatMap((scale) => candidatesOf(scale, ranked.index, options))
      .sort((a, b) => b.posterior - a.posterior)
      .slice(0, maxCandidates);
    const detections = mergeBoxes(candidates).flatMap(({ box, score, windows }) => {
      const inside = clip(box, options.image);
      return inside ? [{ ...ranked, score, windows, box: inside }] : [];
    });
    return options.boxes === 'best' ? detections.slice(0, 1) : detections;
  });
}

// --- helpers ---

/** The boxes of a class at one scale, with the posteriors of their windows. */
function candidatesOf(
  { width, height, windows, boxes }: ScaleOutputs,
  classIndex: number,
  { crop, image }: LocaliseOptions,
): Candidate[] {
  if (!windows) return [];
  const candidates: Candidate[] = [];
  for (let view = 0; view < windows.views; view++) {
    const posteriors = windows.of(classIndex, view);
    for (const { head, maps } of boxes) {
      const channel = head === 'pcr' ? 4 * classIndex : 0;
      for (let i = 0; i < windows.height; i++) {
        for (let j = 0; j < windows.width; j++) {
          const box = boxAt(maps, channel, [view, i, j], crop, { width, height, image });
          if (box) candidates.push({ box, posterior: posteriors[i * windows.width + j]! });
        }
      }
    }
  }
  return candidates;
}
