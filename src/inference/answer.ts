import { z } from 'zod';
import type { ValuesOf } from '../options/values.ts';
import { view } from './options.ts';

/** What is said of an image. Those with an `id` are components of the OpenAPI document. */

const probability = z.number().min(0).max(1).describe('Posterior, mean over scales, flips and networks.');

const classShape = { index: z.int().min(0), label: z.string(), probability };

const rankedClass = z.object(classShape).meta({ id: 'RankedClass' });

export const box = z
  .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
  .describe(
    'In pixels of the image as displayed (EXIF orientation applied); x and y are the upper left corner.',
  )
  .meta({ id: 'Box' });

/** A merged box. */
export const detection = z
  .object({
    ...classShape,
    score: z.number().describe('Sum of the class posteriors of the windows that were merged into the box.'),
    windows: z.int().min(1).describe('Windows that were merged into the box.'),
    box,
  })
  .meta({ id: 'Detection' });

/** Posteriors of one class at every window of one scale of the picture (not its mirror image), mean over networks. */
const classMap = z
  .object({
    index: z.int().min(0),
    scale: z.int().describe('Smallest side Q in pixels.'),
    height: z.int(),
    width: z.int(),
    values: z.array(z.number()).describe('Posterior of the class at every window, `height` rows of `width`.'),
  })
  .meta({ id: 'ClassMap' });

export const imageResult = z.object({
  width: z.int().min(1),
  height: z.int().min(1),
  classes: z.array(rankedClass).describe('The most probable first.'),
  detections: z.array(detection).optional().describe('Only of /localise.'),
  maps: z.array(classMap).optional().describe('Only with `maps=true`.'),
});

/** The jitter plan as it was carried out. */
export const plan = z.object({ scales: z.array(z.int()), flip: z.boolean(), view }).meta({ id: 'Plan' });

/** Milliseconds; for one image, or the longest of several that ran side by side. */
export const timing = z.object({
  decodeMs: z.number(),
  /** While none of its pictures was decoded or with the engine. */
  queueMs: z.number(),
  /** While at least one of its pictures was with the engine. */
  inferenceMs: z.number(),
});

export type RankedClass = ValuesOf<typeof rankedClass>;
export type Detection = ValuesOf<typeof detection>;
export type ClassMap = ValuesOf<typeof classMap>;
export type ImageResult = ValuesOf<typeof imageResult>;
export type Timing = ValuesOf<typeof timing>;

/** With the networks that looked, in the ensemble's order. */
export type PlanSummary = ValuesOf<typeof plan> & { readonly networks: readonly string[] };

export interface Answer {
  readonly result: ImageResult;
  readonly plan: PlanSummary;
  readonly timing: Timing;
}

export interface PartialAnswer {
  readonly scalesDone: readonly number[];
  readonly result: ImageResult;
}
