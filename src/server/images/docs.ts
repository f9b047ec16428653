import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import { codesOf } from '../../errors.ts';
import type { Task } from '../../inference/options.ts';
import { failures } from '../failures.ts';
import { answerOf } from './schemas.ts';

const texts: Record<Task, { readonly summary: string; readonly description: string }> = {
  classify: {
    summary: 'Say what is on images',
    description:
      'One image as the body, or several files as multipart/form-data. Answers the top classes of each by the ensemble: the mean of the posteriors over scales, mirror images and networks. JPEG, PNG, WebP, AVIF, GIF and TIFF (first frame).',
  },
  localise: {
    summary: 'Say what is on images, and where',
    description:
      'Like /classify, with the boxes of the top classes: the boxes that the localisation networks see in all windows of all scales, merged.',
  },
};

/** The schema of an image route; request bodies are documented, not validated. */
export function describeImages(task: Task, method: 'POST' | 'PUT', query: z.ZodType): FastifySchema {
  const { summary, description } = texts[task];
  return {
    operationId: method === 'POST' ? task : `${task}Put`,
    summary: method === 'POST' ? summary : `${summary} (\`curl -T\`)`,
    description,
    tags: ['images'],
    querystring: query,
    response: {
      200: {
        description:
          'Answered. `Server-Timing` has the stages; a file of several may have an error in its place.',
        content: { 'application/json': { schema: answerOf[task] } },
      },
      ...failures(...codesOf('image', 'service', 'whole')),
    },
  };
}

/** The bodies that an image route takes, as OpenAPI. */
export const imageBodies = {
  content: {
    'image/*': { schema: { type: 'string', format: 'binary' } },
    'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
    'multipart/form-data': {
      schema: {
        type: 'object',
        properties: { file: { type: 'array', items: { type: 'string', format: 'binary' } } },
      },
    },
  },
};

/** A plain answer of a probe. */
export const status = (word: string) => z.object({ status: z.literal(word) });
