import { z } from 'zod';
import { plan, imageResult as result, timing as stages } from '../../inference/answer.ts';

/** What the service answers. Those with an `id` are components of the OpenAPI document. */

/** One image that was answered. */
export const imageResult = z
  .object({
    name: z.string().describe('File name of the part; `image` for a raw body.'),
    ...result.shape,
  })
  .meta({ id: 'ImageResult' });

/** One file of several that could not be answered. */
const imageFailure = z
  .object({ name: z.string(), error: z.object({ code: z.string(), message: z.string() }) })
  .meta({ id: 'ImageFailure' });

export const model = z
  .object({
    ensemble: z.string(),
    version: z.string(),
    networks: z.array(z.string()),
    digest: z
      .string()
      .describe('`sha256:` and the hash of the manifest, which holds the hash of every file.'),
  })
  .meta({ id: 'Model' });

const timing = stages
  .extend({ totalMs: z.number() })
  .describe('Milliseconds; of several images, the longest of each.')
  .meta({ id: 'Timing' });

export const answer = z
  .object({
    results: z
      .array(z.union([imageResult, imageFailure]))
      .describe('One for each file, in their order; a bad file has its error in its place.'),
    model,
    plan: plan.optional().describe('As it was carried out; absent when no file was answered.'),
    timing,
  })
  .meta({
    id: 'Answer',
    examples: [
      {
        results: [
          {
            name: 'plane.jpg',
            width: 640,
            height: 480,
            classes: [{ index: 5, label: 'airplanes', probability: 0.93 }],
            detections: [
              {
                index: 5,
                label: 'airplanes',
                probability: 0.93,
                score: 8.1,
                windows: 9,
                box: { x: 31.5, y: 80.2, width: 550.1, height: 210.7 },
              },
            ],
          },
        ],
        model: { ensemble: 'demo', version: '1', networks: ['d', 'e'], digest: 'sha256:2c26b46b...' },
        plan: { scales: [128, 160, 192], flip: true, view: 'dense' },
        timing: { decodeMs: 3.1, queueMs: 0.4, inferenceMs: 48.2, totalMs: 52.3 },
      },
    ],
  });

export type ImageResultBody = z.output<typeof imageResult>;
export type AnswerBody = z.output<typeof answer>;
export type Model = z.output<typeof model>;
