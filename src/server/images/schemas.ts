import { z } from 'zod';

/** What the service answers. Those with an `id` are components of the OpenAPI document. */

const probability = z.number().min(0).max(1).describe('Posterior, mean over scales, flips and networks.');

const rankedClass = z
  .object({ index: z.int().min(0), label: z.string(), probability })
  .meta({ id: 'RankedClass' });

const box = z
  .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
  .describe(
    'In pixels of the image as displayed (EXIF orientation applied); x and y are the upper left corner.',
  )
  .meta({ id: 'Box' });

const detection = z
  .object({
    index: z.int().min(0),
    label: z.string(),
    probability,
    score: z.number().describe('Sum of the class posteriors of the windows that were merged into the box.'),
    windows: z.int().min(1).describe('Windows that were merged into the box.'),
    box,
  })
  .meta({ id: 'Detection' });

const classMap = z
  .object({
    index: z.int().min(0),
    scale: z.int().describe('Smallest side Q in pixels.'),
    height: z.int(),
    width: z.int(),
    values: z.array(z.number()).describe('Posterior of the class at every window, `height` rows of `width`.'),
  })
  .meta({ id: 'ClassMap' });

/** One image that was answered. */
export const imageResult = z
  .object({
    name: z.string().describe('File name of the part; `image` for a raw body.'),
    width: z.int().min(1),
    height: z.int().min(1),
    classes: z.array(rankedClass).describe('The most probable first.'),
    detections: z.array(detection).optional().describe('Only of /localise.'),
    maps: z.array(classMap).optional().describe('Only with `maps=true`.'),
  })
  .meta({ id: 'ImageResult' });

/** One file of several that could not be answered. */
export const imageFailure = z
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

const plan = z
  .object({ scales: z.array(z.int()), flip: z.boolean(), view: z.enum(['dense', 'crops', 'both']) })
  .meta({ id: 'Plan' });

const timing = z
  .object({ decodeMs: z.number(), queueMs: z.number(), inferenceMs: z.number(), totalMs: z.number() })
  .describe('Milliseconds; of several images, the longest of each.')
  .meta({ id: 'Timing' });

export const answer = z
  .object({
    results: z
      .array(z.union([imageResult, imageFailure]))
      .describe('One for each file, in their order; a bad file has its error in its place.'),
    model,
    plan: plan.optional().describe('As it was carried out; absent where no file was answered.'),
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

export const failure = z
  .object({
    statusCode: z.int(),
    code: z.string().describe('One that programs can rely on.'),
    error: z.string().describe('The name of the status.'),
    message: z.string().describe('What was expected and what was received.'),
  })
  .meta({
    id: 'Failure',
    examples: [
      {
        statusCode: 400,
        code: 'INVALID_OPTION',
        error: 'Bad Request',
        message: 'top: expected an integer; received "many"',
      },
    ],
  });

export type ImageResultBody = z.output<typeof imageResult>;
export type ImageFailureBody = z.output<typeof imageFailure>;
export type AnswerBody = z.output<typeof answer>;
export type Model = z.output<typeof model>;
