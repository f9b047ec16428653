import type { NetworkOutput, OutputMaps } from '../engine/engine.ts';
import { meanOfRows } from './average.ts';
import type { PlanTask, ScalePlan } from './jitter-plan.ts';
import { type WindowPosteriors, windowPosteriors } from './windows.ts';

/** Box maps of one localisation network. */
export interface BoxMaps {
  readonly head: 'scr' | 'pcr';
  /** `[views, 1, 4 or 4 x classes, h', w']`. */
  readonly maps: OutputMaps;
}

/** What all networks say of a picture at one scale. */
export interface ScaleOutputs {
  readonly scale: number;
  /** Of the rescaled picture, in pixels. */
  readonly width: number;
  readonly height: number;
  /** `[classes]` each: one of each classification network in each view. */
  readonly posteriors: readonly Float32Array[];
  /** Where score maps were asked for. */
  readonly windows?: WindowPosteriors;
  readonly boxes: readonly BoxMaps[];
}

/** Brings the answers to the tasks of one scale together. */
export function scaleOutputs(
  { scale, width, height, tasks }: ScalePlan,
  answers: readonly ReadonlyMap<string, NetworkOutput>[],
): ScaleOutputs {
  const posteriors: Float32Array[] = [];
  const scoreMaps: OutputMaps[] = [];
  const boxes: BoxMaps[] = [];
  tasks.forEach((task: PlanTask, k) => {
    for (const { id, head } of task.networks) {
      const output = answers[k]!.get(id)!;
      if (head === 'classes') {
        posteriors.push(meanOfRows(output.posteriors!, task.count));
        if (task.maps) scoreMaps.push(output.maps!);
      } else {
        boxes.push({ head, maps: output.maps! });
      }
    }
  });
  const windows = scoreMaps.length > 0 && windowPosteriors(scoreMaps);
  return { scale, width, height, posteriors, boxes, ...(windows && { windows }) };
}
