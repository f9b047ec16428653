import type { FastifyInstance } from 'fastify';
import type { Ensemble } from '../../ensembles/ensemble.ts';
import { chooseOptions } from '../../inference/jitter-plan.ts';
import { readImageOptions, type Task } from '../../inference/options.ts';
import type { Serving } from '../../serving/registry.ts';
import { failures } from '../failures.ts';
import { type ModelDescription, modelDescription } from './schemas.ts';

/** `GET /model`: what a request that names no version is answered by. */
export async function modelRoutes(app: FastifyInstance, { serving }: { serving: Serving }): Promise<void> {
  app.get(
    '/model',
    {
      schema: {
        operationId: 'model',
        summary: 'Say which classes, networks and defaults answer',
        tags: ['model'],
        response: {
          200: {
            description: 'The version that answers, or will once it is loaded.',
            content: { 'application/json': { schema: modelDescription } },
          },
          ...failures('NOT_READY'),
        },
      },
    },
    async () => describe(serving.current().ensemble),
  );
}

// --- helpers ---

function describe(ensemble: Ensemble): ModelDescription {
  const { name, version, digest, labels, classifiers, localisers, crop } = ensemble;
  return {
    ensemble: name,
    version,
    digest,
    classes: labels.map((label, index) => ({ index, label })),
    networks: [...classifiers, ...localisers].map(({ name, spec }) => ({ name, head: spec.head })),
    crop,
    plans: {
      classify: planOf('classify', ensemble),
      ...(localisers.length > 0 && { localise: planOf('localise', ensemble) }),
    },
  };
}

/** Of a request without options. */
function planOf(task: Task, ensemble: Ensemble): ModelDescription['plans']['classify'] {
  const { scales, flip, view, classifiers, localisers } = chooseOptions(ensemble, readImageOptions(task, {}));
  return {
    scales: [...scales],
    flip,
    view,
    networks: [...classifiers, ...localisers].map(({ name }) => name),
  };
}
