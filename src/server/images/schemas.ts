import { z } from 'zod';
import { detection, plan, imageResult as result, timing as stages } from '../../inference/answer.ts';
import type { Task } from '../../inference/options.ts';
import { heads } from '../../network/architecture.ts';

/** What the service answers. Those with an `id` are components of the OpenAPI document. */

/** One image that was answered, whatever its task. */
export const imageResult = z.object({
  name: z.string().describe('File name of the part; `image` for a raw body.'),
  ...result.shape,
});

const classifyResult = imageResult.omit({ detections: true }).meta({ id: 'ClassifyResult' });

const localiseResult = imageResult
  .omit({ maps: true })
  .extend({ detections: z.array(detection).describe('Boxes of the top classes.') })
  .meta({ id: 'LocaliseResult' });

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

/** The answer to a request of each task. */
export const answerOf = {
  classify: answerWith(classifyResult).meta({
    id: 'ClassifyAnswer',
    examples: [exampleWith({})],
  }),
  localise: answerWith(localiseResult).meta({
    id: 'LocaliseAnswer',
    examples: [
      exampleWith({
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
      }),
    ],
  }),
} as const satisfies Record<Task, z.ZodType>;

const planOfTask = plan
  .extend({ networks: z.array(z.string()) })
  .describe('What a request does that asks for nothing else.')
  .meta({ id: 'DefaultPlan' });

/** What `GET /model` says of the version that answers. */
export const modelDescription = z
  .object({
    ...model.omit({ networks: true }).shape,
    classes: z.array(z.object({ index: z.int().min(0), label: z.string() })).describe('In order of `index`.'),
    networks: z
      .array(
        z.object({
          name: z.string(),
          head: z
            .enum(heads)
            .describe('`classes`, or boxes: one for all classes (`scr`), one for each (`pcr`).'),
        }),
      )
      .describe('The option `networks` takes the names of those of head `classes`.'),
    crop: z.int().describe('Side of the crop of the networks in pixels: the smallest test scale.'),
    plans: z
      .object({ classify: planOfTask, localise: planOfTask.optional() })
      .describe('`localise` is absent when the version has no network for boxes.'),
  })
  .meta({
    id: 'ModelDescription',
    examples: [
      {
        ensemble: 'demo',
        version: '1',
        digest: 'sha256:2c26b46b...',
        classes: [{ index: 0, label: 'accordion' }],
        networks: [
          { name: 'd', head: 'classes' },
          { name: 'boxes', head: 'scr' },
        ],
        crop: 128,
        plans: {
          classify: { scales: [128, 176, 224], flip: true, view: 'dense', networks: ['d'] },
          localise: { scales: [128, 176, 224], flip: true, view: 'dense', networks: ['d', 'boxes'] },
        },
      },
    ],
  });

export type ImageResultBody = z.output<typeof imageResult>;
export type AnswerBody = Omit<z.output<(typeof answerOf)[Task]>, 'results'> & {
  results: (ImageResultBody | z.output<typeof imageFailure>)[];
};
export type Model = z.output<typeof model>;
export type ModelDescription = z.output<typeof modelDescription>;

// --- helpers ---

function answerWith<T extends z.ZodType>(result: T) {
  return z.object({
    results: z
      .array(z.union([result, imageFailure]))
      .describe('One for each file, in their order; a bad file has its error in its place.'),
    model,
    plan: plan.optional().describe('As it was carried out; absent when no file was answered.'),
    timing,
  });
}

function exampleWith(more: object) {
  const classes = [{ index: 5, label: 'airplanes', probability: 0.93 }];
  return {
    results: [{ name: 'plane.jpg', width: 640, height: 480, classes, ...more }],
    model: { ensemble: 'demo', version: '1', networks: ['d', 'e'], digest: 'sha256:2c26b46b...' },
    plan: { scales: [128, 160, 192], flip: true, view: 'dense' },
    timing: { decodeMs: 3.1, queueMs: 0.4, inferenceMs: 48.2, totalMs: 52.3 },
  };
}
